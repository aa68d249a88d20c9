"""Put a manifest's files into a folder, as links to the blobs and never as copies of them."""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.subhosting.store.records import Manifest

# A file system refuses one more link to a file, or links between the two folders at all.
_COPY_INSTEAD = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.ENOTSUP})

# _IOW(0x94, 9, int) of linux/fs.h; elsewhere it is unknown, and the content is copied.
_FICLONE = 0x40049409

_PIECE_BYTES = 1024 * 1024


class ContentLost(Exception):  # noqa: N818 - a fact about the store, met once in a lifetime
    """A blob that is on record is not on disk."""


def materialise(manifest: Manifest, blobs: Path, target: Path, *, own: bool = False) -> None:
    """Make `target` hold exactly the manifest; nothing happens if it exists.

    The files are hard links to blobs, so nothing may ever write to them in place; with `own` they
    are files of their own. The folder appears under its name only when it is complete.

    Raises:
        ContentLost: a file's content is missing on disk.

    """
    if target.exists():
        return
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True)
    try:
        _make_folders(manifest, draft)
        if own:
            _clone_files(manifest, blobs, draft)
        else:
            _link_files(manifest, blobs, draft)
        for path, link_target in manifest.links.items():
            (draft / path).symlink_to(link_target)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def rearrange(tree: Path, before: Manifest, after: Manifest, blobs: Path) -> None:
    """Make a folder that holds exactly `before` hold exactly `after`.

    The work grows with what differs. Broken off in the middle, the folder is of no use.

    Raises:
        ContentLost: a file's content is missing on disk.

    """
    files = _other(after.files, before.files)
    links = _other(after.links, before.links)
    gone = [*_other(before.files, after.files), *_other(before.links, after.links)]
    for path in gone:
        (tree / path).unlink()
    # Deepest first, so that a folder is empty when its turn comes; those that are not stay.
    for folder in sorted({folder for path in gone for folder in _above(path)}, reverse=True):
        with contextlib.suppress(OSError):
            (tree / folder).rmdir()
    changed = Manifest(files=files, links=links)
    _make_folders(changed, tree)
    _link_files(changed, blobs, tree)
    for path, target in links.items():
        (tree / path).symlink_to(target)


def own_copy(path: Path) -> None:
    """Replace a link to a blob by a file of its own, for tools that write in place."""
    if path.is_symlink() or not path.is_file() or path.stat().st_nlink == 1:
        return
    copy = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    clone(path, copy)
    copy.rename(path)


def clone(source: Path, target: Path) -> None:
    """Make `target` a file of its own with the content of `source`.

    Where the file system can (Btrfs, XFS, bcachefs), both share their blocks until one is written
    to. https://man7.org/linux/man-pages/man2/ioctl_ficlonerange.2.html
    """
    with source.open("rb") as reading, target.open("xb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
        except OSError:
            # It cannot, and says so in many ways; whatever is wrong, the copy meets it as well.
            shutil.copyfileobj(reading, writing, _PIECE_BYTES)


def _other(these: Mapping[str, str], those: Mapping[str, str]) -> dict[str, str]:
    """Return what is not the same in `those`."""
    return {path: each for path, each in these.items() if those.get(path) != each}


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _make_folders(manifest: Manifest, draft: Path) -> None:
    folders = {path.rpartition("/")[0] for path in (*manifest.files, *manifest.links)}
    # Parents come first when sorted, and each is made once.
    for folder in sorted(folders - {""}):
        (draft / folder).mkdir(parents=True, exist_ok=True)


def _link_files(manifest: Manifest, blobs: Path, draft: Path) -> None:
    if not manifest.files:
        return
    # Paths relative to open folders: the kernel need not walk the long prefixes 10,000 times.
    source = os.open(blobs, os.O_RDONLY | os.O_DIRECTORY)
    target = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for path, sha1 in manifest.files.items():
            try:
                os.link(sha1, path, src_dir_fd=source, dst_dir_fd=target)
            except FileNotFoundError as error:
                raise _lost(path, sha1, blobs) from error
            except OSError as error:
                if error.errno not in _COPY_INSTEAD:
                    raise
                clone(blobs / sha1, draft / path)
    finally:
        os.close(source)
        os.close(target)


def _clone_files(manifest: Manifest, blobs: Path, draft: Path) -> None:
    for path, sha1 in manifest.files.items():
        try:
            clone(blobs / sha1, draft / path)
        except FileNotFoundError as error:
            raise _lost(path, sha1, blobs) from error


def _lost(path: str, sha1: str, blobs: Path) -> ContentLost:
    return ContentLost(f"the content {sha1} of {path!r} is missing in {blobs}")
