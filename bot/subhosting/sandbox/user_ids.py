"""A user id for each owner of children, out of a range that nobody else uses."""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

# Unused in systemd's table, and no subordinate id of a user: https://systemd.io/UIDS-GIDS/
FIRST, COUNT = 1_900_000_000, 65_536

_SHOWN_FOLDER = 0o755
_FOR_OTHERS_FOLDER = 0o005
_FOR_OTHERS_FILE = 0o444
_SOCKET = 0o666


def _owner_of(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return None


class UserIds:
    """Which owner has which id; the files of an owner remember theirs across restarts."""

    def __init__(self, first: int = FIRST, count: int = COUNT) -> None:
        """Give out `count` ids from `first` on."""
        self._ids = range(first, first + count)
        self._next = 0
        self._given: dict[str, int] = {}
        self._taken: set[int] = set()

    def of(self, owner: str, files: Iterable[Path]) -> int:
        """Return the id of `owner`; a new one is the id that its files have, if that is free."""
        if (given := self._given.get(owner)) is not None:
            return given
        if len(self._given) == len(self._ids):
            # The owner that came first is long gone in any case that can happen.
            self._taken.discard(self._given.pop(next(iter(self._given))))
        uid = next((each for each in map(_owner_of, files) if self._is_free(each)), None)
        while uid is None or not self._is_free(uid):
            uid = self._ids[self._next % len(self._ids)]
            self._next += 1
        self._given[owner] = uid
        self._taken.add(uid)
        return uid

    def _is_free(self, uid: int | None) -> bool:
        return uid is not None and uid in self._ids and uid not in self._taken


def give(folder: Path, uid: int) -> None:
    """Make a folder, and what is in it, belong to `uid`; made if it is missing.

    A folder that belongs to it already is not walked. Files with another name elsewhere are left
    alone: those are links to blobs, which everyone may read and nobody but us may own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.lstat().st_uid == uid:
        return
    # By open folders, so that no swapped folder leads us elsewhere.
    for _, _, names, place in os.fwalk(folder, topdown=False):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found = os.lstat(name, dir_fd=place)
                if found.st_nlink == 1 and found.st_uid != uid:
                    os.chown(name, uid, uid, dir_fd=place, follow_symlinks=False)
        # The top comes last: a walk that was cut short is begun again.
        os.chown(place, uid, uid)


def show(path: Path) -> None:
    """Let everyone who gets to `path` read it; who that is, the folders above decide."""
    mode = path.lstat().st_mode if path.exists() else 0
    if stat.S_ISSOCK(mode):
        path.chmod(_SOCKET)
    if not stat.S_ISDIR(mode) or mode & _FOR_OTHERS_FOLDER == _FOR_OTHERS_FOLDER:
        return
    for _, _, names, place in os.fwalk(path, topdown=False):
        for name in names:
            found = os.lstat(name, dir_fd=place)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                os.chmod(name, found.st_mode | _FOR_OTHERS_FILE, dir_fd=place)
        os.fchmod(place, _SHOWN_FOLDER)
