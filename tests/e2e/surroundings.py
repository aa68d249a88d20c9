"""What lies around a bot and its platform and is not theirs to touch.

They get a home and a temporary folder of their own, so that a file left in either is seen, and
what other processes of this machine do is not.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Where harm would last, in the home of whoever runs this.
_OF_A_PERSON = (
    ".bashrc",
    ".profile",
    ".gitconfig",
    ".config/git",
    ".config/systemd",
    ".local/bin",
    ".ssh",
)
_HOME = Path.home()

# What Python makes beside whatever is imported.
_CACHES = {"__pycache__"}


@dataclass(frozen=True, slots=True)
class Found:
    """One path as it is. Of a folder, only the mode: its size and time tell of what is in it."""

    mode: int
    size_bytes: int
    changed_ns: int
    target: str | None  # of a symbolic link


class Surroundings:
    """The folders of one site, and a picture of everything around them."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        """Make a home in `folder`; `temporary` is nobody else's, and its path is short."""
        self.folder, self.temporary = folder, temporary
        self.home = folder / "home"
        self.home.mkdir()
        # What is written to by right: data directory and log of the server, mirrors, repositories.
        self.ours = {folder / name for name in ("data", "data.log", "mirrors", "server")}

    @property
    def variables(self) -> dict[str, str]:
        """Return what tells a process of both."""
        return {"HOME": str(self.home), "TMPDIR": str(self.temporary)}

    def picture(self) -> dict[str, Found]:
        """Return every path that nobody may have touched, as it is now."""
        person = (_HOME / name for name in _OF_A_PERSON)
        # The platform's own, which come and go: it tries out how Deno runs crons, for example.
        ours = self.ours | set(self.temporary.glob("previewbot-*"))
        roots = (self.folder, self.temporary, Path.cwd() / "bot", Path("/etc"), *person)
        found = {str(path): _found(path) for root in roots for path in _below(root, ours)}
        # Tools keep their caches here, in hidden folders, and write to those that are not.
        for each in Path.cwd().iterdir():
            if each.name[0] != ".":
                found.setdefault(str(each), Found(stat.S_IFMT(each.lstat().st_mode), 0, 0, None))
        return found


def _below(root: Path, ours: set[Path]) -> Iterator[Path]:
    if os.path.lexists(root):
        yield root
    for place, folders, names in os.walk(root):
        folders[:] = [n for n in folders if n not in _CACHES and Path(place, n) not in ours]
        # Links to folders are among the folders, and are not followed.
        yield from (
            Path(place, name) for name in (*folders, *names) if Path(place, name) not in ours
        )


def _found(path: Path) -> Found:
    seen = path.lstat()
    if stat.S_ISDIR(seen.st_mode):
        return Found(seen.st_mode, 0, 0, None)
    target = str(path.readlink()) if path.is_symlink() else None
    return Found(seen.st_mode, seen.st_size, seen.st_mtime_ns, target)
