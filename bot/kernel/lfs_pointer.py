"""Git LFS pointers: the few lines that stand in a tree for a file kept elsewhere.

Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

import re
from typing import NamedTuple

# "Pointer files must be less than 1024 bytes", and the version line comes first.
MAX_POINTER_BYTES = 1024
_START = b"version https://git-lfs.github.com/spec/v1"

_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_SIZE = re.compile(rb"^size ([0-9]{1,18})$", re.MULTILINE)


class Pointer(NamedTuple):
    """What a pointer stands for."""

    oid: str  # SHA-256 of the file, 64 hex digits
    size_bytes: int


def is_pointer(content: bytes) -> bool:
    """Tell whether `content` is an LFS pointer, right or wrong, rather than a file."""
    return len(content) < MAX_POINTER_BYTES and content.startswith(_START)


def pointer_of(content: bytes) -> Pointer | None:
    """Return what an LFS pointer says; None if it is none, or does not say it well."""
    if not is_pointer(content):
        return None
    oid, size = _OID.search(content), _SIZE.search(content)
    return None if oid is None or size is None else Pointer(oid[1].decode(), int(size[1]))
