"""The streams of a build: read in a thread, and begun again where they broke off.

Deno's document promises server-sent events or JSON lines by what is accepted; seen live were JSON
lines whatever was accepted. So what came decides, and what is no item is passed over: a newer
platform may say more than we know.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.incoming import Stream
from bot.core.model.errors import TargetRefused, TargetUnavailable

T = TypeVar("T")

EVENTS = "text/event-stream"
ACCEPT = f"{EVENTS}, application/x-ndjson;q=0.9"

# Ours says something every 15 s; Deno's older document has a heartbeat every 30 s.
SILENCE = timedelta(seconds=45)

# So many times in a row may a stream end without anything new.
MOST_BREAKS = 5
FIRST_WAIT = timedelta(milliseconds=50)
GROWTH = 2.0
LONGEST_WAIT = timedelta(seconds=5)

# A state or a log line beyond this is none.
MAX_ITEM_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """A stream came to its end: the build may be over."""

    url: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A stream will say no more."""

    url: str


# What the tails of one build say, each item in the type of its stream.
News = queue.SimpleQueue[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[T]):
    """One stream: where it is, what it holds, and what it does when it is begun again."""

    url: str
    item: type[T]
    tells_from_start: bool  # else it goes on with the present


class Tail(Generic[T]):
    """Puts the items of one stream into a queue, each once, until there is no more to be had."""

    def __init__(self, api: Api, source: Source[T], news: News) -> None:
        """Begin to read at once."""
        self._api = api
        self._source = source
        self._call = Call(method="GET", url=source.url, headers={"Accept": ACCEPT})
        self._reader = TypeAdapter(source.item)
        self._news = news
        self._told = 0
        self._last: T | None = None
        self._stream: Stream | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="build-stream", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading; a connection that is being made is left to its time limit."""
        with self._lock:
            self._closed.set()
            if self._stream is not None:
                self._stream.interrupt()
        self._thread.join(1.0)

    def _run(self) -> None:
        try:
            self._read_on()
        finally:
            self._news.put(GivenUp(self._source.url))

    def _read_on(self) -> None:
        """Read the stream, again and again, until it is refused or has nothing new any more."""
        breaks = 0
        while breaks < MOST_BREAKS and not self._closed.is_set():
            before, asked_for = self._told, None
            try:
                self._read()
                self._news.put(Ended(self._source.url))
            except TargetRefused:
                return
            except TargetUnavailable as error:
                asked_for = error.retry_after
            breaks = 1 if self._told > before else breaks + 1
            wait = min(asked_for or FIRST_WAIT * GROWTH**breaks, LONGEST_WAIT)
            self._closed.wait(wait.total_seconds())

    def _read(self) -> None:
        """Read until the stream ends.

        Raises:
            TargetUnavailable: it broke off.
            TargetRefused: there is none.

        """
        with self._api.stream(self._call, silence=SILENCE) as stream:
            with self._lock:
                if self._closed.is_set():
                    return
                self._stream = stream
            try:
                for number, item in enumerate(self._items(stream)):
                    self._tell(number, item)
            finally:
                with self._lock:
                    self._stream = None

    def _tell(self, number: int, item: T) -> None:
        known = number < self._told if self._source.tells_from_start else item == self._last
        if not known:
            self._told += 1
            self._last = item
            self._news.put(item)

    def _items(self, stream: Stream) -> Iterator[T]:
        lines = stream.lines(MAX_ITEM_BYTES)
        for text in events(lines) if stream.content_type.startswith(EVENTS) else lines:
            if text.strip():
                with suppress(ValidationError):
                    yield self._reader.validate_json(text)


def events(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the data of server-sent events, whatever they are called.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    An event that the end of the stream cuts short is none.
    """
    data: list[bytes] = []
    for line in lines:
        if not line:
            if data:
                yield b"\n".join(data)
            data = []
            continue
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
