"""Request bodies on their way out: never whole in memory, with their length where it is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from bot.adapters.targets.compression import MIN_BYTES, Coding

# A body up to this size is made before it is sent, so that it goes out with its length.
WHOLE_BODY_BYTES = 1024 * 1024
PIECE_BYTES = 256 * 1024

BodyMaker = Callable[[], Iterator[bytes]]


@dataclass(slots=True)
class Meter:
    """Counts the bytes of request bodies that went out."""

    sent_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A body, and what the head of its request says of it."""

    content: Iterator[bytes]
    length: int | None  # None: it is sent in chunks
    coding: str | None


def outgoing(make: BodyMaker, meter: Meter, *, coding: Coding | None, measured: bool) -> Outgoing:
    """Return the body to send; `measured`: made twice, so that its length is known first.

    A measured one is not compressed: nobody promises that this gives the same length twice.
    """
    first, rest = _start(_pieces(make()))
    if coding is not None and not measured and (rest is not None or len(first) >= MIN_BYTES):
        whole = chain((first,), rest or ())
        first, rest = _start(_pieces(coding.compressed(whole)))
    else:
        coding = None
    length = len(first) if rest is None else None
    if length is None and measured:
        length = sum(map(len, make()))
    return Outgoing(
        content=_counted(chain((first,), rest or ()), meter),
        length=length,
        coding=None if coding is None else coding.name,
    )


def _pieces(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Join small parts, so that ten thousand files are not ten thousand writes."""
    gathered: list[bytes] = []
    size = 0
    for part in parts:
        gathered.append(part)
        size += len(part)
        if size >= PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _start(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """Return the body's beginning, and what follows; None when that was all."""
    first: list[bytes] = []
    for piece in pieces:
        first.append(piece)
        if sum(map(len, first)) > WHOLE_BODY_BYTES:
            return b"".join(first), pieces
    return b"".join(first), None


def _counted(pieces: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    for piece in pieces:
        meter.sent_bytes += len(piece)
        yield piece
