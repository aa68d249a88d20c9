"""The folder that a build works in: begun from copies, tidied at its end, and marked when whole.

A deployment whose commands write files has its tree in `src` like any other. It is whole only
beside the mark: without it, whatever is there is the rest of a build that broke off.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.build.materialise import materialise
from bot.subhosting.store.blobs import sync_file_system
from bot.subhosting.store.records import Manifest

SOURCE = "src"
CACHE = "cache"
SCRATCH = "scratch"
# What a static site consists of, made from the tree.
LISTING = "site.json"
_MARK = "built"

# As many as the log shows.
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What a build left behind; `removed` names entries that no app may have."""

    size_bytes: int
    files: int
    removed: tuple[str, ...]


def begin(folder: Path, manifest: Manifest, blobs: Path) -> None:
    """Put an app's files into `folder`, each its own, in place of whatever was there.

    Raises:
        ContentLost: a file's content is missing on disk.

    """
    discard(folder)
    materialise(manifest, blobs, folder / SOURCE, own=True)
    for name in (CACHE, SCRATCH):
        (folder / name).mkdir(mode=0o700, exist_ok=True)


def finish(folder: Path) -> None:
    """Say that the tree is whole, durably."""
    remove(folder / SCRATCH)
    sync_file_system(folder)
    (folder / _MARK).touch()
    sync_file_system(folder)


def discard(folder: Path) -> None:
    """Remove a tree, whole or not."""
    for name in (_MARK, LISTING):
        (folder / name).unlink(missing_ok=True)
    for name in (SOURCE, SCRATCH, CACHE):
        remove(folder / name)


def is_whole(folder: Path) -> bool:
    """Return whether the tree is what a build left at its end."""
    return (folder / _MARK).exists() and (folder / SOURCE).is_dir()


def tidy(source: Path) -> Tidied:
    """Remove links that lead outside and what is neither file, folder nor link; count the rest."""
    root = source.resolve()
    size = files = 0
    removed: list[str] = []
    for here, folders, names in os.walk(source):
        for name in (*folders, *names):
            path = Path(here, name)
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                files += 1
                size += found.st_blocks * 512
            elif _has_no_place(path, found.st_mode, root):
                path.unlink()
                removed.append(path.relative_to(source).as_posix())
    return Tidied(size_bytes=size, files=files, removed=tuple(removed[:_MOST_NAMED]))


def remove(folder: Path) -> None:
    """Delete a folder, even one whose owner took away the right to write to it."""

    def with_rights(_function: object, path: str, _: object) -> None:
        Path(path).parent.chmod(0o700)
        if Path(path).is_dir() and not Path(path).is_symlink():
            Path(path).chmod(0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)

    if folder.exists():
        shutil.rmtree(folder, onerror=with_rights)


def _has_no_place(path: Path, mode: int, root: Path) -> bool:
    if stat.S_ISLNK(mode):
        try:
            return not path.resolve().is_relative_to(root)
        except (OSError, RuntimeError):  # a loop, or a name beyond all limits
            return True
    return not stat.S_ISDIR(mode)
