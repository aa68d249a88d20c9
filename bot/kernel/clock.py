"""Time comes in by this door: the protocol, and the one real clock."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the rest of the code may ask of time."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""
        ...

    def sleep(self, duration: timedelta) -> None:
        """Block the calling thread for `duration`."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()

    def sleep(self, duration: timedelta) -> None:
        """Block the calling thread for `duration`; a negative one returns at once."""
        time.sleep(max(0.0, duration.total_seconds()))
