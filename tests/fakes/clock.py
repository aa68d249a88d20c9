"""A clock that stands still until it is moved; sleeping on it moves it."""

import threading
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """Implements `bot.kernel.clock.Clock`."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._now.timestamp()

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        self.move(duration)

    def move(self, by: timedelta) -> None:
        with self._lock:
            self._now += by
