"""What an app writes to its standard streams: always drained, kept within a quota.

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

# What the 502 page and a failed build show.
RING_LINES = 40

# A line without an end is cut here, so that it cannot fill the memory.
MAX_LINE_BYTES = 16 * 1024

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
        self._keep("info" if stream == STDOUT else "error", lines)

    def close(self) -> None:
        """Keep what has no line end yet, and let go of the file."""
        for stream, rest in self._partial.items():
            if rest:
                self._keep("info" if stream == STDOUT else "error", [rest])
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
            self._keep("warning", [quota.encode()])
        return False

    def _keep(self, level: str, lines: list[bytes]) -> None:
        now = self._clock.now()
        time = now.isoformat()
        rows: list[bytes] = []
        for line in lines:
            text = line[:MAX_LINE_BYTES].decode(errors="replace").rstrip("\r")
            text = text.replace("\0", "\ufffd")  # PostgreSQL keeps no NUL in a text
            for ours, theirs in self._shown.items():
                text = text.replace(ours, theirs)
            self.ring.append((level, text))
            if self.listener is not None:
                self.listener(level, text)
            if self._sink is not None:
                self._sink(now, level, text)
            rows.append(orjson.dumps({"time": time, "level": level, "message": text}))
        if rows:
            self._write(b"\n".join(rows) + b"\n")

    def _write(self, rows: bytes) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab", buffering=0)
        self._file.write(rows)
        if self._file.tell() > self._file_bytes:
            self._file.close()
            self._file = None
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
