"""Documents in which every value knows where it stands, made from YAML that strangers wrote.

Read as events, not as objects: no tag makes anything, no anchor multiplies anything, and depth and
number of the values are limited before anything is built. Words are taken as YAML 1.2 does, where
`no` and `on` are text: branches are called that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from bot.core.model.config import KeyPath, Place

if TYPE_CHECKING:
    from yaml import _yaml

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
MAX_VALUES = 10_000

TOP = Place(line=1, column=1)

# https://yaml.org/spec/1.2.2/#103-core-schema, without floats and other bases: no key takes them.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}

Value = str | int | bool | list["Value"] | dict[str, "Value"] | None

_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):  # noqa: N818 - reads as a sentence in `except`
    """The file is no document at all, or one that is refused."""

    def __init__(self, problem: str, place: Place = TOP) -> None:
        """Say what is wrong, and where."""
        super().__init__(problem)
        self.problem = problem
        self.place = place


@dataclass(frozen=True, slots=True)
class Document:
    """A value, and where its parts stand: mapping entries at their keys."""

    value: Value
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place_of(self, path: KeyPath) -> Place:
        """Return where `path` stands, or the nearest part around it that is there."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, TOP)


def text_of(content: bytes) -> str:
    """Return a configuration file's text.

    Raises:
        Unreadable: it is too large, or not UTF-8.

    """
    if len(content) > MAX_BYTES:
        raise Unreadable(f"has {len(content):,} bytes, more than {MAX_BYTES:,}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise Unreadable("is not UTF-8", Place(line=line, column=1)) from None


def yaml_document(text: str) -> Document:
    """Return the one document that `text` holds; an empty mapping if there is none.

    Raises:
        Unreadable: it is no YAML, or has anchors, tags, a key twice, or too much of anything.

    """
    try:
        # All of it before anything is built: a later error is one of the file as well.
        events = list(_limited(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise Unreadable(f"is no YAML: {error.problem or error.context}", place) from None
    except yaml.reader.ReaderError as error:
        line = 1 + text.count("\n", 0, error.position)
        raise Unreadable(f"is no YAML: {error.reason}", Place(line=line, column=1)) from None
    return _Builder(iter(events)).document()


def _limited(events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    depth = documents = 0
    for number, event in enumerate(events):
        place = _place(event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
            case yaml.CollectionStartEvent():
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
            case _:
                pass
        _refuse_tricks(event, place)
        if documents > 1:
            raise Unreadable("holds more than one document", place)
        if depth > MAX_DEPTH:
            raise Unreadable(f"is nested more than {MAX_DEPTH} levels deep", place)
        if number > MAX_VALUES:
            raise Unreadable(f"holds more than {MAX_VALUES:,} values", place)
        yield event


def _refuse_tricks(event: yaml.Event, place: Place) -> None:
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        raise Unreadable("has an anchor or an alias (& or *); write the value out", place)
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        raise Unreadable("has a tag (!); write a plain value, in quotes if it is a text", place)


class _Builder:
    """Puts the events of one document together."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._places: dict[KeyPath, Place] = {}

    def document(self) -> Document:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                first = next(self._events)
                value = self._value(first, ())
                return Document({} if value is None else value, self._places)
        return Document({})

    def _value(self, event: yaml.Event, path: KeyPath) -> Value:
        self._places.setdefault(path, _place(event.start_mark))
        match event:
            case yaml.ScalarEvent():
                return _scalar(event)
            case yaml.SequenceStartEvent():
                return self._list(path)
            case _:
                return self._mapping(path)

    def _list(self, path: KeyPath) -> list[Value]:
        found: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _mapping(self, path: KeyPath) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = _place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise Unreadable("has a list or a mapping as a key", place)
            key = event.value
            if key in found:
                raise Unreadable(f"has the key {key!r} twice", place)
            self._places[*path, key] = place
            found[key] = self._value(next(self._events), (*path, key))
        return found


def _scalar(event: yaml.ScalarEvent) -> Value:
    text: str = event.value
    if event.style:  # quoted, or a block
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _INTEGER.fullmatch(text) else text


def _place(mark: "yaml.Mark | _yaml.Mark | None") -> Place:
    if mark is None:
        return TOP
    return Place(line=mark.line + 1, column=mark.column + 1)
