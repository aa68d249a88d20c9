"""What a request asks of a file: only if it changed, only if it did not, or a part of it.

Source: RFC 9110, sections 13 (conditions, and their order) and 14 (ranges).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import pairwise
from typing import Final, NamedTuple

# Names in lower case.
Fields = Mapping[bytes, bytes]

OK: Final = 200
PARTIAL: Final = 206
NOT_MODIFIED: Final = 304
PRECONDITION_FAILED: Final = 412
UNSATISFIABLE: Final = 416

# Beyond this somebody wants to make us work; section 14.2 lets us ignore the field.
_MOST_RANGES: Final = 16

_TAG: Final = re.compile(rb'(W/)?("[^"]*")')
_RANGE: Final = re.compile(rb"([0-9]{0,19})-([0-9]{0,19})")


class Part(NamedTuple):
    """A piece of a file."""

    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What tells one state of a file from another: a strong tag, and when it was deployed."""

    tag: bytes
    modified: datetime

    @property
    def date(self) -> bytes:
        """The moment as HTTP spells it."""
        return format_datetime(self.modified.astimezone(UTC), usegmt=True).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The status to answer with, and with `PARTIAL` which pieces."""

    status: int
    parts: tuple[Part, ...] = ()


def judged(fields: Fields, version: Version, size: int, *, may_be_part: bool) -> Verdict:
    """Return how to answer a GET or HEAD for a file of `size` bytes.

    `may_be_part` says whether ranges mean something, which they do for GET only.
    """
    if _fails(fields, version):
        return Verdict(status=PRECONDITION_FAILED)
    if _is_known(fields, version):
        return Verdict(status=NOT_MODIFIED)
    wanted = fields.get(b"range") if may_be_part else None
    if wanted is None or not _still_whole(fields, version):
        return Verdict(status=OK)
    parts = parts_of(wanted, size)
    if parts is None:
        return Verdict(status=OK)
    return Verdict(status=PARTIAL if parts else UNSATISFIABLE, parts=parts)


def parts_of(wanted: bytes, size: int) -> tuple[Part, ...] | None:
    """Return the pieces that a `Range` names, in its order.

    None means that the field is to be ignored: it is in no unit that we know, not valid, or asks
    for more than the file in small pieces. Nothing at all means that none of them exists.
    """
    unit, equals, text = wanted.partition(b"=")
    if not equals or unit.strip().lower() != b"bytes":
        return None
    specs = [spec.strip() for spec in text.split(b",") if spec.strip()]
    if not specs or len(specs) > _MOST_RANGES:
        return None
    found: list[Part] = []
    for spec in specs:
        match = _RANGE.fullmatch(spec)
        if match is None or spec == b"-":
            return None
        first, last = match.groups()
        if first and last and int(first) > int(last):
            return None
        part = _part(first, last, size)
        if part.length > 0:
            found.append(part)
    return None if _overlap(found) else tuple(found)


def _part(first: bytes, last: bytes, size: int) -> Part:
    if not first:  # the last so many bytes
        length = min(int(last), size)
        return Part(size - length, length)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    return Part(start, end - start + 1)


def _overlap(parts: list[Part]) -> bool:
    """Return whether some byte is wanted twice, which only those want who attack."""
    return any(
        before.start + before.length > after.start for before, after in pairwise(sorted(parts))
    )


def _fails(fields: Fields, version: Version) -> bool:
    if (wanted := fields.get(b"if-match")) is not None:
        strong = {tag for weak, tag in _TAG.findall(wanted) if not weak}
        return wanted.strip() != b"*" and version.tag not in strong
    unmodified = _moment(fields.get(b"if-unmodified-since"))
    return unmodified is not None and version.modified.replace(microsecond=0) > unmodified


def _is_known(fields: Fields, version: Version) -> bool:
    if (known := fields.get(b"if-none-match")) is not None:
        return known.strip() == b"*" or version.tag in {tag for _, tag in _TAG.findall(known)}
    # The same moment and not a later one: a host that is led back to an earlier deployment serves
    # older files, and they are news to whoever has seen the newer ones.
    return _moment(fields.get(b"if-modified-since")) == version.modified.replace(microsecond=0)


def _still_whole(fields: Fields, version: Version) -> bool:
    """Return whether the pieces that the other side has belong to this file."""
    condition = fields.get(b"if-range")
    return condition is None or condition.strip() in {version.tag, version.date}


def _moment(value: bytes | None) -> datetime | None:
    if value is None:
        return None
    try:
        found = parsedate_to_datetime(value.decode("ascii"))
    except (ValueError, TypeError):
        return None  # not a date: section 13.1.3 has the field ignored
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
