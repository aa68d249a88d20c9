"""The wire format of Protocol Buffers, as much of it as KV Connect's messages need.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_LENGTHS = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10

Value = int | bytes


class NotProtobuf(Exception):  # noqa: N818 - says what the bytes are
    """Bytes that are no message, or not the one that was expected."""


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field in order: bytes, or an unsigned integer.

    Raises:
        NotProtobuf: the message is cut off or malformed.

    """
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[kind]
        else:
            raise NotProtobuf(f"wire type {kind}")
        end = position + length
        if end > len(message):
            raise NotProtobuf("cut off")
        yield number, message[position:end]
        position = end


def raw(value: Value) -> bytes:
    """Return a field's value that must be bytes.

    Raises:
        NotProtobuf: it is a number.

    """
    if isinstance(value, int):
        raise NotProtobuf("a number where bytes belong")
    return value


def number(value: Value) -> int:
    """Return a field's value that must be an integer, signed as an int64 is.

    Raises:
        NotProtobuf: it is bytes.

    """
    if isinstance(value, bytes):
        raise NotProtobuf("bytes where a number belongs")
    return value - (1 << 64) if value >> 63 else value


def of_bytes(field: int, value: bytes) -> bytes:
    """Return a field with bytes or a message; none of them leaves an empty one out."""
    return varint(field << 3 | _BYTES) + varint(len(value)) + value


def of_number(field: int, value: int) -> bytes:
    """Return a field with a number that is not negative; 0 is what a missing field means."""
    return varint(field << 3 | _VARINT) + varint(value) if value else b""


def varint(value: int) -> bytes:
    """Return a number that is not negative, seven bits a byte."""
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_LONGEST_VARINT):
        if position + index >= len(message):
            raise NotProtobuf("cut off")
        byte = message[position + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:  # noqa: PLR2004 - the last of its bytes
            return value & (1 << 64) - 1, position + index + 1
    raise NotProtobuf("a number that does not end")
