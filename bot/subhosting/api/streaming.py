"""A JSON text read piece by piece: members of objects one by one, long strings in parts.

Our own, because the streaming parsers at hand hold every string as a whole: ijson 3.6.0 (on yajl)
gives a file of 100 MB as one text, several times over. Everything but the outline is still parsed
by orjson, which also refuses what is no JSON.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import orjson

from bot.subhosting.errors import InvalidRequest, TooLarge

_PIECE_BYTES = 64 * 1024

_SPACE = re.compile(rb"[ \t\n\r]*")
# Whole characters and whole escapes of a string's inside. Possessive: nothing to go back to.
_INSIDE = re.compile(rb'[^"\\]*+(?:\\(?:[^u]|u[0-9a-fA-F]{4})[^"\\]*+)*+', re.DOTALL)
# The first half of a surrogate pair, whose other half may not be here yet.
_HIGH_SURROGATE = re.compile(rb"(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})\Z")
# A value without anything nested in it, which most assets are.
_FLAT_OBJECT = re.compile(rb'\{[^{}\[\]"]*+(?:"(?:[^"\\]++|\\.)*+"[^{}\[\]"]*+)*+\}', re.DOTALL)
# What decides where a nested value ends.
_BRACKETS = re.compile(rb'["{}\[\]]')
_SCALAR_END = re.compile(rb"[,}\] \t\n\r]")

_LONGEST_ESCAPE = len(rb"\u0000")

_QUOTE, _OPEN, _CLOSE, _COMMA, _COLON = b'"', b"{", b"}", b",", b":"
# The first byte of a UTF-8 character that has more, of one that has three, and of one with four.
_LEAD, _LEAD_3, _LEAD_4 = 0xC0, 0xE0, 0xF0
_ASCII = 0x80


class JsonReader:
    """Reads one JSON text from `read`, which returns up to so many bytes, none at the end."""

    def __init__(self, read: Callable[[int], bytes], *, max_value_bytes: int) -> None:
        """Hold at most `max_value_bytes` of a value that is asked for as a whole."""
        self._read = read
        self._max_value_bytes = max_value_bytes
        self._buffer = b""
        self._at = 0
        self._before = 0  # bytes of the text that have left the buffer
        self._over = False

    def members(self) -> Iterator[str]:
        """Yield the names of the object that begins here; read each value before the next name.

        Raises:
            InvalidRequest: this is no object, or no JSON; so do all other methods.
            TooLarge: a value is longer than may be held; so does `value`.

        """
        self._expect(_OPEN)
        if self.next() == _CLOSE:
            self._at += 1
            return
        while True:
            name = self.value() if self.next() == _QUOTE else None
            if not isinstance(name, str):
                self.fail("a name in double quotes is expected")
            self._expect(_COLON)
            yield name
            if self.next() == _CLOSE:
                self._at += 1
                return
            self._expect(_COMMA)

    def value(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the whole value that begins here."""
        first = self.next()
        if first == _QUOTE:
            end = self._string_end(self._at + 1)
        elif first in {b"{", b"["}:
            end = self._nested_end()
        else:
            end = self._scalar_end()
        text = self._buffer[self._at : end]
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            self.fail(str(error))
        self._at = end
        return found

    def flat_object(self) -> dict[str, Any] | None:
        """Return the object that begins here if it is short, here already and nests nothing."""
        self.next()
        found = _FLAT_OBJECT.match(self._buffer, self._at)
        if found is None:
            return None
        try:
            document: dict[str, Any] = orjson.loads(found.group())
        except orjson.JSONDecodeError as error:
            self.fail(str(error))
        self._at = found.end()
        return document

    def string_pieces(self) -> Iterator[bytes]:
        """Yield the string that begins here in UTF-8, a piece at a time."""
        self._expect(_QUOTE)
        while True:
            inside, ended = self._string_inside()
            if inside:
                try:
                    text: str = orjson.loads(b'"%b"' % inside)
                except orjson.JSONDecodeError as error:
                    self.fail(str(error))
                self._at += len(inside)
                yield text.encode()
            if ended:
                self._at += 1
                return
            if not self._more():
                self.fail("the text ends within a string")

    def next(self) -> bytes:
        """Return the next byte that is no space, without taking it; the text must go on."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = found.end() if found is not None else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                self.fail("the text ends too early")

    def end(self) -> None:
        """Check that nothing but space follows."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = found.end() if found is not None else self._at
            if self._at < len(self._buffer):
                self.fail("there is more after the end")
            if not self._more():
                return

    def fail(self, reason: str) -> NoReturn:
        """Refuse the text, naming the place."""
        place = self._before + self._at
        msg = f"The body is not valid JSON: {reason} (at byte {place})."
        raise InvalidRequest("invalidJson", msg)

    def _expect(self, byte: bytes) -> None:
        if self.next() != byte:
            self.fail(f"{byte.decode()!r} is expected")
        self._at += 1

    def _more(self) -> bool:
        """Read on, and drop what was taken; False at the end of the text."""
        if self._over:
            return False
        # As much again as is held already: adding small pieces to a large one copies it each time.
        piece = self._read(max(_PIECE_BYTES, len(self._buffer) - self._at))
        self._over = not piece
        self._before += self._at
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return not self._over

    def _grow(self) -> int:
        """Read on within a value that must be here as a whole; return how far it moved.

        Raises:
            TooLarge: it is longer than may be held.

        """
        if len(self._buffer) - self._at > self._max_value_bytes:
            msg = (
                f"body: a value before byte {self._before + len(self._buffer)} is longer than the"
                f" limit of {self._max_value_bytes} bytes; only the content of files may be."
            )
            raise TooLarge("valueTooLarge", msg)
        moved = self._at
        if not self._more():
            self.fail("the text ends too early")
        return moved

    def _string_inside(self) -> tuple[bytes, bool]:
        """Return whole characters of a string from here on, and whether its end follows."""
        buffer, start = self._buffer, self._at
        quote = buffer.find(_QUOTE, start)
        if buffer.find(b"\\", start, quote if quote >= 0 else len(buffer)) < 0:
            if quote >= 0:
                return buffer[start:quote], True
            return _whole_characters(buffer[start:]), False
        end, ended = self._inside_end(start)
        inside = buffer[start:end]
        if ended:
            return inside, True
        half = _HIGH_SURROGATE.search(_whole_characters(inside))
        return (_whole_characters(inside) if half is None else inside[: half.start(1)]), False

    def _inside_end(self, start: int) -> tuple[int, bool]:
        """Return how far a string's inside goes in the buffer, and whether its quote follows."""
        found = _INSIDE.match(self._buffer, start)
        end = start if found is None else found.end()
        ended = self._buffer[end : end + 1] == _QUOTE
        if not ended and len(self._buffer) - end >= _LONGEST_ESCAPE:
            self.fail("an escape in a string is wrong")
        return end, ended

    def _string_end(self, looked_to: int) -> int:
        """Return the place behind the quote that ends a string whose inside is at `looked_to`."""
        while True:
            end, ended = self._inside_end(looked_to)
            if ended:
                return end + 1
            looked_to = end - self._grow()

    def _nested_end(self) -> int:
        """Return the place behind the bracket that closes the one which is here."""
        depth, looked_to = 0, self._at
        while True:
            found = _BRACKETS.search(self._buffer, looked_to)
            if found is None:
                here = len(self._buffer)
                looked_to = here - self._grow()
                continue
            if found.group() == _QUOTE:
                looked_to = self._string_end(found.end())
                continue
            looked_to = found.end()
            depth += 1 if found.group() in b"{[" else -1
            if depth == 0:
                return looked_to

    def _scalar_end(self) -> int:
        """Return where a number, `true`, `false` or `null` ends, or what is none of them."""
        looked_to = self._at
        while (found := _SCALAR_END.search(self._buffer, looked_to)) is None:
            here = len(self._buffer)
            looked_to = here - self._grow()
        return found.start()


def _whole_characters(piece: bytes) -> bytes:
    """Return `piece` without the beginning of a UTF-8 character at its end.

    What is no UTF-8 at all stays in, for the parser to refuse.
    """
    for back in range(1, min(3, len(piece)) + 1):
        byte = piece[-back]
        if byte >= _LEAD:
            length = 2 + (byte >= _LEAD_3) + (byte >= _LEAD_4)
            return piece[:-back] if length > back else piece
        if byte < _ASCII:
            break
    return piece
