"""Hashes that git has noted of a checkout's files, so that unchanged ones need not be read.

git's own rule decides whether a file is unchanged: its facts are those in the index, and it was
last written before the index was.
https://git-scm.com/docs/index-format and https://git-scm.com/docs/racy-git
"""

import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.decide.attributes import is_attributes
from bot.core.model.ids import BlobSha

# Version 4 compresses names, and is rare.
_VERSIONS = frozenset({2, 3})
_HEADER = struct.Struct(">4sII")
# ctime, mtime, device, inode, mode, uid, gid, size, SHA-1, flags.
_ENTRY = struct.Struct(">IIIIIIIIII20sH")

# Assume-valid, extended and the stage of a merge: such an entry says nothing about the file.
_UNSURE = 0xF000
_UINT32 = 0xFFFFFFFF
_NS = 1_000_000_000

# When it was written and changed (nanoseconds each), its inode and its size. The index cuts
# seconds to 32 bits: a file from before 1970 or after 2106 differs, and is read.
Facts = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What git noted of files, by path below the root that was asked about."""

    files: Mapping[str, tuple[Facts, bytes]] = field(default_factory=dict)
    written_ns: int = 0

    def sha1_of(self, path: str, now: os.stat_result) -> BlobSha | None:
        """Return the hash of a regular file that has not changed since, or None."""
        noted = self.files.get(path)
        if noted is None or now.st_mtime_ns >= self.written_ns:
            return None
        facts, sha1 = noted
        found = (now.st_mtime_ns, now.st_ctime_ns, now.st_ino & _UINT32, now.st_size & _UINT32)
        return BlobSha(sha1.hex()) if facts == found else None


NOTHING = Index()


def index_around(root: Path) -> Index:
    """Return what git noted of the files below `root`; nothing where that cannot be relied on.

    It cannot where git may store other bytes than the file has: with attributes (line ends,
    filters such as LFS), and in a repository of SHA-256.
    """
    top = next((each for each in (root, *root.parents) if (each / ".git").is_dir()), None)
    if top is None:
        return NOTHING
    git = top / ".git"
    try:
        settings = (git / "config").read_text(errors="replace").lower()
        content = (git / "index").read_bytes()
        written_ns = (git / "index").stat().st_mtime_ns
    except OSError:
        return NOTHING
    if (git / "info" / "attributes").exists() or any(
        word in settings for word in ("autocrlf", "attributesfile", "objectformat")
    ):
        return NOTHING
    try:
        found = _parsed(content)
    except (struct.error, UnicodeDecodeError, ValueError):
        return NOTHING
    if any(map(is_attributes, found)):
        return NOTHING
    if root != top:
        below = f"{root.relative_to(top).as_posix()}/"
        found = {
            path.removeprefix(below): noted
            for path, noted in found.items()
            if path.startswith(below)
        }
    return Index(files=found, written_ns=written_ns)


def _parsed(content: bytes) -> dict[str, tuple[Facts, bytes]]:
    """Return the regular files of an index.

    Raises:
        ValueError: it is of a version that is not read here, or broken.

    """
    magic, version, count = _HEADER.unpack_from(content)
    if magic != b"DIRC" or version not in _VERSIONS:
        msg = "no index of a version that is read here"
        raise ValueError(msg)
    found: dict[str, tuple[Facts, bytes]] = {}
    at = _HEADER.size
    for _ in range(count):
        ctime, ctime_ns, mtime, mtime_ns, _, inode, mode, _, _, size, sha1, flags = (
            _ENTRY.unpack_from(content, at)
        )
        # An extended entry has two more bytes of flags, which change where the name begins.
        start = at + _ENTRY.size + (2 if flags & 0x4000 else 0)
        end = content.index(b"\0", start)
        if not flags & _UNSURE and stat.S_ISREG(mode):
            facts = (mtime * _NS + mtime_ns, ctime * _NS + ctime_ns, inode, size)
            found[content[start:end].decode()] = (facts, sha1)
        # Padded with one to eight NULs to a multiple of eight.
        at += (end - at + 8) & ~7
    return found
