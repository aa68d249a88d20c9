"""Numbers as V8 serializes them: what `sum` of a bigint or a number adds up.

V8's `src/objects/value-serializer.cc`; Deno's backend reads and writes the same few tags.
"""

import struct

from bot.subhosting.kv.protobuf import varint

_VERSION = 0xFF
_HEADER = bytes((_VERSION, 15))
_DIGIT_BYTES = 8


class NotANumber(Exception):  # noqa: N818 - says what the value is
    """A value that is no number and no bigint."""


# A JavaScript number is a float here, a bigint is an int.
Number = int | float


def parse(value: bytes) -> Number:
    """Return a serialized bigint as int and a number as float.

    Raises:
        NotANumber: it is something else.

    """
    try:
        if value[0] != _VERSION:
            raise NotANumber("no V8 value")
        _, position = _varint(value, 1)
        while value[position] == 0:  # padding
            position += 1
        tag, rest = value[position : position + 1], value[position + 1 :]
        match tag:
            case b"I":
                zigzag, _ = _varint(rest, 0)
                return float((zigzag >> 1) ^ -(zigzag & 1))
            case b"U":
                return float(_varint(rest, 0)[0])
            case b"N":
                double: float = struct.unpack("<d", rest[:8])[0]
                return double
            case b"Z":
                return _bigint(rest)
            case _:
                raise NotANumber(f"a value with tag {tag!r}")
    except (IndexError, struct.error) as error:
        raise NotANumber("cut off") from error


def serialize(value: Number) -> bytes:
    """Return a number or bigint as V8 reads it."""
    if isinstance(value, float):
        return _HEADER + b"N" + struct.pack("<d", value)
    digits = -(-abs(value).bit_length() // (8 * _DIGIT_BYTES))
    length = digits * _DIGIT_BYTES
    sign = 1 if value < 0 else 0
    return _HEADER + b"Z" + varint(length << 1 | sign) + abs(value).to_bytes(length, "little")


def _bigint(rest: bytes) -> int:
    flags, position = _varint(rest, 0)
    length = flags >> 1
    digits = rest[position : position + length]
    if len(digits) < length:
        raise NotANumber("cut off")
    magnitude = int.from_bytes(digits, "little")
    return -magnitude if flags & 1 else magnitude


def _varint(value: bytes, position: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = value[position]
        found |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:  # noqa: PLR2004 - the last of its bytes
            return found, position
        shift += 7
