"""Which part of a repository an app is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The folder of an app in its repository, and which files of that folder belong to it.

    `include` and `exclude` are patterns of `bot.kernel.globs`, relative to that folder: a file is
    taken when the first list is empty or fits, and the second does not. The tree's own
    `.previewignore` and `export-ignore` take away more.
    """

    root: str = ""  # "apps/site"; "" is the whole repository
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    # Whether what a tree only refers to is fetched. For the default branch to decide, never for
    # the commit that is deployed: it makes us contact others.
    lfs: bool = False
    submodules: bool = False

    def in_repository(self, path: str) -> str:
        """Return an app's path as the repository has it."""
        return f"{self.root}/{path}" if self.root else path


WHOLE = Selection()
