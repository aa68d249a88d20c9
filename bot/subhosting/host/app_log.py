"""What an app says, on its standard streams or by an export: kept within one quota.

A pipe that nobody reads blocks the app's event loop at its next `console.log`, and an app can
write 150 MB a second, so the reading never stops and the keeping does.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import orjson

from bot.kernel.clock import Clock
from bot.subhosting.store.app_logs import Level

# What the 502 page and a failed build show.
RING_LINES = 40

# A line without an end is cut here, so that it cannot fill the memory.
MAX_LINE_BYTES = 16 * 1024
# One call of `console` may print a whole table.
MAX_TEXT_LENGTH = 64 * 1024

STDOUT = 1

Listener = Callable[[str, str], None]

# Where lines go for good: time, level, message.
Sink = Callable[[datetime, str, str], None]


class AppLog:
    """The log of one instance: a file of JSON lines, its newest lines in memory, one listener."""

    def __init__(
        self,
        file: Path,
        *,
        clock: Clock,
        bytes_per_s: int,
        file_bytes: int,
        shown: Mapping[str, str],
        sink: Sink | None = None,
    ) -> None:
        """Write to `file`, which is renamed to `*.1` when it reaches `file_bytes`, and to `sink`.

        `shown` maps texts to what is kept in their place, such as our folders to the app's.
        """
        self.ring: deque[tuple[str, str]] = deque(maxlen=RING_LINES)
        self.listener: Listener | None = None
        self.closed = False
        # Whether Deno exports it, and when it did so last, by the monotonic clock.
        self.exported = False
        self.exported_s = 0.0
        self._path = file
        self._clock = clock
        self._bytes_per_s = bytes_per_s
        self._file_bytes = file_bytes
        self._shown = shown
        self._sink = sink
        self._file: BinaryIO | None = None
        self._partial = {1: b"", 2: b""}
        self._second = 0.0
        self._spent = 0
        self._dropping = False

    def feed(self, stream: int, received: bytes) -> None:
        """Take what arrived on file descriptor `stream` (1 or 2)."""
        if not self._allowed(len(received)):
            return
        *lines, rest = (self._partial[stream] + received).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            lines.append(rest)
            rest = b""
        self._partial[stream] = rest
        self._take(stream, lines)

    def say(self, time: datetime, level: str, text: str) -> None:
        """Take one message with a level of its own, however many lines it has."""
        if self._allowed(len(text)):
            self._keep(time, level, [text[:MAX_TEXT_LENGTH]])

    @property
    def full(self) -> bool:
        """Whether the quota of this second is used up."""
        return self._dropping and self._clock.monotonic_s() - self._second < 1

    def note(self, text: str, level: Level = Level.ERROR) -> None:
        """Add a line of ours, which no quota drops; also to a log that is closed."""
        self._keep(self._clock.now(), level, [text])
        if self.closed:
            self.close()

    def close(self) -> None:
        """Keep what has no line end yet, and let go of the file."""
        self.closed = True
        for stream, rest in self._partial.items():
            if rest:
                self._take(stream, [rest])
        self._partial = {1: b"", 2: b""}
        if self._file is not None:
            self._file.close()
            self._file = None

    def _allowed(self, size: int) -> bool:
        now = self._clock.monotonic_s()
        if now - self._second >= 1:
            self._second, self._spent, self._dropping = now, 0, False
        self._spent += size
        if self._spent <= self._bytes_per_s:
            return True
        if not self._dropping:
            self._dropping = True
            self._partial = {1: b"", 2: b""}
            quota = f"log lines dropped: more than {self._bytes_per_s} bytes in a second"
            self._keep(self._clock.now(), Level.WARNING, [quota])
        return False

    def _take(self, stream: int, lines: list[bytes]) -> None:
        """Keep lines of a stream; only the runtime and native code still write there."""
        texts = [line[:MAX_LINE_BYTES].decode(errors="replace").rstrip("\r") for line in lines]
        level = Level.INFO if stream == STDOUT else Level.ERROR
        self._keep(self._clock.now(), level, texts)

    def _keep(self, time: datetime, level: str, texts: list[str]) -> None:
        rows: list[bytes] = []
        for said in texts:
            text = said.replace("\0", "\ufffd")  # PostgreSQL keeps no NUL in a text
            for ours, theirs in self._shown.items():
                text = text.replace(ours, theirs)
            self._tell(level, text)
            if self._sink is not None:
                self._sink(time, level, text)
            rows.append(orjson.dumps({"time": time.isoformat(), "level": level, "message": text}))
        if rows:
            self._write(b"\n".join(rows) + b"\n")

    def _tell(self, level: str, text: str) -> None:
        """Show it by the line to those who read a log as it would stand in a terminal."""
        for line in text.split("\n"):
            self.ring.append((level, line))
            if self.listener is not None:
                self.listener(level, line)

    def _write(self, rows: bytes) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab", buffering=0)
        self._file.write(rows)
        if self._file.tell() > self._file_bytes:
            self._file.close()
            self._file = None
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
