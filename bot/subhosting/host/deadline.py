"""A time limit that is moved at every request and almost never reached."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls back when its moment has come; moving it later costs two comparisons.

    The event loop's timer stays where it was and looks again when it fires. Cancelling and making
    a timer for each request took a tenth of the router's time.
    """

    __slots__ = ("_at_s", "_call", "_handle", "_loop", "_now_s", "_wakes_s")

    def __init__(self, call: Callable[[], None]) -> None:
        """Call `call`, once for each time that it is set."""
        self._loop = asyncio.get_running_loop()
        self._now_s = self._loop.time
        self._call = call
        self._at_s: float | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._wakes_s = 0.0

    def set(self, after_s: float) -> None:
        """Set it to so many seconds from now, in place of what was set before."""
        at_s = self._at_s = self._now_s() + after_s
        if self._handle is None or at_s < self._wakes_s:
            self._wake(at_s)

    def prolong(self, by_s: float, most_s: float) -> None:
        """Move it `by_s` later, but to at most `most_s` from now, if it is set at all."""
        if self._at_s is not None:
            self._at_s = min(self._at_s + by_s, self._now_s() + most_s)

    def clear(self) -> None:
        """Set none."""
        self._at_s = None

    def close(self) -> None:
        """Let go of the event loop's timer; nothing is called any more."""
        self._at_s = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wake(self, at_s: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._wakes_s = at_s
        self._handle = self._loop.call_at(at_s, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._at_s is None:
            return
        if self._at_s > self._now_s():
            self._wake(self._at_s)
            return
        self._at_s = None
        self._call()
