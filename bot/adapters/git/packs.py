"""Whether an object is in a repository, asked without starting git: a look at the packs' indexes.

Format: https://git-scm.com/docs/gitformat-pack#_version_2_pack_idx_files_support_packs_larger_than_4_gib_and
"""

import mmap
import struct
from pathlib import Path

_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT_AT = len(_MAGIC)
_OIDS_AT = _FANOUT_AT + 256 * 4


def holds(objects: Path, oid: str) -> bool | None:
    """Return whether the object is in `objects`; None if only git can tell.

    Says nothing about its kind, nor about damage.
    """
    if (objects / oid[:2] / oid[2:]).is_file():
        return True
    try:
        wanted = bytes.fromhex(oid)
        indexes = [
            (index.stat().st_mtime, index) for index in (objects / "pack").glob("pack-*.idx")
        ]
        # The newest first: it is asked most of all for what has just come.
        answers = (_lists(index, wanted) for _, index in sorted(indexes, reverse=True))
        unknown = False
        for answer in answers:
            if answer:
                return True
            unknown |= answer is None
    except (OSError, ValueError, struct.error):  # packs are being put together, or are cut off
        return None
    return None if unknown else False


def _lists(index: Path, wanted: bytes) -> bool | None:
    with index.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:_FANOUT_AT] != _MAGIC or len(content) < _OIDS_AT:
            return None
        first = _count_up_to(content, wanted[0] - 1)
        last = _count_up_to(content, wanted[0])
        size = len(wanted)
        while first < last:
            middle = (first + last) // 2
            at = _OIDS_AT + middle * size
            found = content[at : at + size]
            if found == wanted:
                return True
            if found < wanted:
                first = middle + 1
            else:
                last = middle
        return False


def _count_up_to(content: mmap.mmap, byte: int) -> int:
    """Return how many objects have an id that begins with at most `byte`."""
    if byte < 0:
        return 0
    count: int = struct.unpack_from(">I", content, _FANOUT_AT + byte * 4)[0]
    return count
