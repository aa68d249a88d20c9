"""Payloads that nobody sends: parts missing, of other types, huge, or where others belong."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import strategies as st

from bot.webhooks.parse import HANDLED, parse
from tests.data import hostile
from tests.fakes.github.entities import JsonObject

Place = tuple[str | int, ...]

# What JSON may say, and what a database, an id of GitHub's or a ref of git may not be.
NUMBERS = (0, -1, 1, 2, 7, 8, 1.0, 0.5, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, -(10**30))
NAMES = (
    *("main", "dev", "MAIN", "pr-1", "HEAD", "@{-1}", "refs/heads/main", "refs/heads/*"),
    *("refs/heads/", "refs/tags/main", "a b", "a..b", "a.lock", "--upload-pack=x", "a\0b"),
    *("e\u0301", "\u00e9", "0" * 40, "0" * 64, "f" * 40, "octo/hello", "octo/../hello", "."),
    *("created", "opened", "closed", "deleted", "edited", "removed", "renamed", "rerequested"),
    *("open", "branch", "tag", "User", "Bot", "approve", "/preview destroy"),
    *("/preview rollback 99999999999", "/preview approve \0"),
)
TEXTS = tuple(text for text in hostile.HOSTILE if text != hostile.SURROGATE)

_WORDS = NAMES + TEXTS
_ANYTHING: tuple[object, ...] = (None, True, False, [], {}, *NUMBERS, *_WORDS)

VALUES = st.one_of(
    st.sampled_from((None, True, False)),
    st.sampled_from(NUMBERS),
    st.sampled_from(NAMES),
    st.sampled_from(TEXTS),
    st.text(max_size=20),
    st.integers(),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5) | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=4,
    ),
)


@dataclass(frozen=True)
class Put:
    """Something else stands at a place."""

    place: Place
    value: object


@dataclass(frozen=True)
class Alike:
    """Something else of the same type stands at a place, chosen by a number."""

    place: Place
    choice: int

    def value(self, present: object) -> object:
        """Return what stands there instead of `present`."""
        match present:
            case bool():
                return not present
            case str():
                return _WORDS[self.choice % len(_WORDS)]
            case int():
                return NUMBERS[self.choice % len(NUMBERS)]
            case list():
                return present * (self.choice % 3)
            case _:
                return {}


@dataclass(frozen=True)
class Take:
    """Nothing stands at a place."""

    place: Place


@dataclass(frozen=True)
class Copy:
    """At a place stands what belongs to another."""

    place: Place
    source: Place


Change = Put | Alike | Take | Copy


@dataclass(frozen=True)
class Mutation:
    """A delivery under an event's name, and how its payload differs from a good one."""

    event: str
    changes: list[Change]

    def of(self, payload: JsonObject) -> JsonObject:
        """Return the payload with all changes; one whose place is gone by then does nothing."""
        found = deepcopy(payload)
        for change in self.changes:
            match change:
                case Put(place, value):
                    _put(found, place, deepcopy(value))
                case Alike(place):
                    _put(found, place, change.value(_look(found, place)))
                case Take(place):
                    _take(found, place)
                case Copy(place, source):
                    _put(found, place, deepcopy(_look(found, source)))
        return found


@dataclass(frozen=True)
class Template:
    """A payload that means something."""

    event: str
    payload: JsonObject

    @cached_property
    def everywhere(self) -> list[Place]:
        """Return the way to each part."""
        return list(_places(self.payload))

    @cached_property
    def read(self) -> list[Place]:
        """Return the way to each part on which the meaning depends."""
        meant = parse(self.event, self.payload)
        other = deepcopy(self.payload)
        found = []
        for place in self.everywhere:
            before = _look(other, place)
            _put(other, place, {"nobody": ["reads this"]})
            if parse(self.event, other) != meant:
                found.append(place)
            _put(other, place, before)
        return found

    @cached_property
    def mutations(self) -> st.SearchStrategy[Mutation]:
        """Return deliveries that differ in up to four ways, mostly where it matters."""
        read = st.sampled_from(self.read)
        place = st.one_of(read, read, read, st.sampled_from(self.everywhere))
        alike = st.builds(Alike, read, st.integers(0, len(_WORDS)))
        other = st.one_of(
            st.builds(Put, place, VALUES), st.builds(Take, place), st.builds(Copy, place, place)
        )
        change = st.one_of(alike, other)
        event = st.one_of(st.just(self.event), st.sampled_from([self.event] * 9 + _EVENTS))
        changes = st.one_of(change.map(_alone), st.lists(change, max_size=4))
        return st.builds(Mutation, event, changes)

    def each(self) -> Iterator[Mutation]:
        """Yield every single change of a part that is read."""
        for place in self.read:
            yield Mutation(self.event, [Take(place)])
            for value in _ANYTHING:
                yield Mutation(self.event, [Put(place, value)])


def _alone(change: Change) -> list[Change]:
    return [change]


_EVENTS = sorted(HANDLED | {"star"})


def _places(value: object, here: Place = ()) -> Iterator[Place]:
    if here:
        yield here
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*here, key))


_ABSENT = (KeyError, IndexError, TypeError)


def _put(payload: Any, place: Place, value: object) -> None:  # noqa: ANN401 - JSON is anything
    try:
        for key in place[:-1]:
            payload = payload[key]
        payload[place[-1]] = value
    except _ABSENT:
        return


def _take(payload: Any, place: Place) -> None:  # noqa: ANN401 - the same
    try:
        for key in place[:-1]:
            payload = payload[key]
        del payload[place[-1]]
    except _ABSENT:
        return


def _look(payload: Any, place: Place) -> object:  # noqa: ANN401 - the same
    try:
        for key in place:
            payload = payload[key]
    except _ABSENT:
        return None
    return payload
