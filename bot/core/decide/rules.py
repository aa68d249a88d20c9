"""Which files of a tree belong to an app: by its selection, and by what the tree itself says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.core.decide.attributes import ATTRIBUTES, EXPORT_IGNORE, FILTER, Attributes, is_attributes
from bot.core.decide.ignoring import PatternList, folders_down_to, lines_of, patterns_of
from bot.core.model.errors import TreeRefused
from bot.core.model.selection import Selection
from bot.kernel.globs import glob_problem, judge

PREVIEW_IGNORE: Final = ".previewignore"
GITMODULES: Final = ".gitmodules"

# Each is looked at for each path; repositories have dozens.
MAX_PATTERNS: Final = 1000
MAX_GLOBS: Final = 100

# One file of patterns. Git reads up to 100 MB of a .gitattributes.
MAX_RULES_BYTES: Final = 1024 * 1024

_LFS: Final = "lfs"

_RULE_NAMES: Final = (ATTRIBUTES, PREVIEW_IGNORE, GITMODULES)


class Rules:
    """What is taken of one tree; paths are the app's, relative to its root."""

    def __init__(self, selection: Selection, files: Mapping[str, bytes]) -> None:
        """Read `files`: the contents of all rule files of the tree, by path in the repository.

        Raises:
            TreeRefused: a file or list has too much in it, or a pattern that is none; the
                message names it.

        """
        for path, content in files.items():
            if len(content) > MAX_RULES_BYTES:
                raise TreeRefused(path, f"has more than {MAX_RULES_BYTES:,} bytes")
        self._selection = selection
        ignored = files.get(selection.in_repository(PREVIEW_IGNORE), b"")
        _check_globs("include", selection.include)
        _check_globs("exclude", selection.exclude)
        texts = patterns_of(lines_of(ignored))
        _refuse_many(selection.in_repository(PREVIEW_IGNORE), len(texts), MAX_PATTERNS)
        self._ignored = PatternList(texts)
        self._attributes = Attributes(
            {path: content for path, content in files.items() if is_attributes(path)}
        )
        _refuse_many(ATTRIBUTES, self._attributes.lines_total, MAX_PATTERNS)
        self._pruned: dict[str, bool] = {"": False}
        self.takes_all = (
            not (selection.include or selection.exclude or texts)
            and self._attributes.lines_total == 0
        )

    def takes(self, path: str, *, is_folder: bool = False) -> bool:
        """Tell whether `path` is part of the app."""
        if self.takes_all:
            return True
        if not judge(self._selection.include, path, folders=True).fits:
            return False
        return self.leaves(path, is_folder=is_folder)

    def leaves(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether nothing takes `path` away, whether or not it is among what is included."""
        exclude = self._selection.exclude
        if exclude and judge(exclude, path, folders=True).fits:
            return False
        if self._ignored.fits(path, is_folder=is_folder):
            return False
        return not self._is_pruned(path.rpartition("/")[0]) and not self._is_export_ignored(
            path, is_folder=is_folder
        )

    def says_lfs(self, path: str) -> bool:
        """Tell whether the attributes hand the file `path` to Git LFS; its content decides."""
        if self._attributes.lines_total == 0:
            return False
        return self._attributes.of(self._selection.in_repository(path)).get(FILTER) == _LFS

    def _is_pruned(self, folder: str) -> bool:
        """Tell whether `export-ignore` takes a folder away, or one above it.

        The app's root itself was chosen by name, whatever is said of it for archives.
        """
        known = self._pruned.get(folder)
        if known is None:
            known = any(
                self._is_export_ignored(each, is_folder=True) for each in folders_down_to(folder)
            )
            self._pruned[folder] = known
        return known

    def _is_export_ignored(self, path: str, *, is_folder: bool) -> bool:
        found = self._attributes.of(self._selection.in_repository(path), is_folder=is_folder)
        return found.get(EXPORT_IGNORE) is True


def may_be_rule(path: str) -> bool:
    """Tell whether a path's name is worth asking `is_rule` about; cheap, for every path."""
    return path.endswith(_RULE_NAMES)


def is_rule(path: str, selection: Selection) -> bool:
    """Tell whether the file `path` of the repository may say what is taken of it."""
    if not may_be_rule(path):
        return False
    if path == GITMODULES:
        return selection.submodules
    return is_attributes(path) or path == selection.in_repository(PREVIEW_IGNORE)


def rules_above(selection: Selection) -> Iterator[str]:
    """Yield the paths of rule files that speak of the app from above its root."""
    if not selection.root:
        return
    yield ATTRIBUTES
    if selection.submodules:
        yield GITMODULES
    for folder in folders_down_to(selection.root):
        if folder != selection.root:
            yield f"{folder}/{ATTRIBUTES}"


def _check_globs(where: str, patterns: Sequence[str]) -> None:
    _refuse_many(where, len(patterns), MAX_GLOBS)
    for pattern in patterns:
        if (problem := glob_problem(pattern)) is not None:
            raise TreeRefused(where, f"has the pattern {pattern!r}, which {problem}")


def _refuse_many(where: str, count: int, most: int) -> None:
    if count > most:
        problem = f"has {count:,} patterns; at most {most:,} are looked at"
        raise TreeRefused(where, problem)
