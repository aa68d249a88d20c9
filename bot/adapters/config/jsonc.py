"""JSON as Deno reads its configuration: with comments and trailing commas. Knows where all stands.

Source: https://docs.deno.com/runtime/fundamentals/configuration/.
"""

import json
import re
from bisect import bisect_right

from bot.adapters.config.nodes import Document, Unreadable, Value
from bot.core.model.config import KeyPath, Place

MAX_DEPTH = 50

_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"true|false|null")
_STRINGS = json.JSONDecoder()


def jsonc_document(text: str) -> Document:
    """Return the value that `text` holds; an empty mapping for no text.

    Raises:
        Unreadable: it is no JSON, not even with comments.

    """
    return _Reader(text).document()


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._places: dict[KeyPath, Place] = {}

    def document(self) -> Document:
        if not self._next():
            return Document({})
        value = self._value(())
        if left := self._next():
            raise self._problem(f"expected the end of the file, found {left!r}")
        return Document(value, self._places)

    def _next(self) -> str:
        """Skip white space and comments, and return the character after them; "" at the end."""
        blank = _BLANK.match(self._text, self._at)
        self._at = self._at if blank is None else blank.end()
        return self._text[self._at : self._at + 1]

    def _value(self, path: KeyPath) -> Value:
        first = self._next()
        self._places.setdefault(path, self._place())
        if len(path) > MAX_DEPTH:
            raise self._problem(f"nested more than {MAX_DEPTH} levels deep")
        match first:
            case "{":
                return self._mapping(path)
            case "[":
                return self._list(path)
            case '"':
                return self._string()
            case _:
                return self._word_or_number(first)

    def _mapping(self, path: KeyPath) -> dict[str, Value]:
        found: dict[str, Value] = {}
        self._at += 1
        while (first := self._next()) != "}":
            if first != '"':
                raise self._problem(f"expected a key in double quotes, found {first!r}")
            place = self._place()
            key = self._string()
            self._places[*path, key] = place
            self._expect(":")
            found[key] = self._value((*path, key))
            if self._next() != "}":
                self._expect(",")
        self._at += 1
        return found

    def _list(self, path: KeyPath) -> list[Value]:
        found: list[Value] = []
        self._at += 1
        while self._next() != "]":
            found.append(self._value((*path, len(found))))
            if self._next() != "]":
                self._expect(",")
        self._at += 1
        return found

    def _string(self) -> str:
        try:
            text, self._at = _STRINGS.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._problem(error.msg) from None
        return str(text)

    def _word_or_number(self, first: str) -> Value:
        if word := _WORD.match(self._text, self._at):
            self._at = word.end()
            return _WORDS[word.group()]
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            # A fraction is a text here, as no key that is read takes one.
            return number.group() if number[1] or number[2] else int(number.group()[:20])
        raise self._problem(f"expected a value, found {first!r}")

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise self._problem(f"expected {sign!r}, found {self._next()!r}")
        self._at += 1

    def _place(self) -> Place:
        line = bisect_right(self._line_starts, self._at)
        return Place(line=line, column=1 + self._at - self._line_starts[line - 1])

    def _problem(self, what: str) -> Unreadable:
        return Unreadable(f"is no JSON: {what}", self._place())
