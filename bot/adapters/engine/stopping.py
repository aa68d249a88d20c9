"""Handing work back on SIGTERM: running workflows park where nothing is half done.

A parked thread never goes on. Its workflow stays recorded as running, and the next start of the
worker resumes it after its last finished step. (Letting the engine shut down while a step runs
let the step make its outside effect without a record, and the restart made a second one.)
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NoReturn


class StopSignal:
    """Whether the process was asked to stop, and how many workflows still move."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requested = False
        self._moving = 0

    @property
    def is_requested(self) -> bool:
        """Tell whether the process was asked to stop."""
        return self._requested

    def request(self) -> None:
        """Ask everything to park."""
        with self._changed:
            self._requested = True
            self._changed.notify_all()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Count the calling thread's workflow as moving until it ends or parks."""
        with self._changed:
            self._moving += 1
        try:
            yield
        finally:
            with self._changed:
                self._moving -= 1
                self._changed.notify_all()

    def checkpoint(self) -> None:
        """Return at once, or never if the process was asked to stop."""
        if self._requested:
            self._park()

    def pause(self, duration: timedelta) -> None:
        """Return after `duration`, or never if the process is asked to stop meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._requested, duration.total_seconds())
        self.checkpoint()

    def _park(self) -> NoReturn:
        with self._changed:
            self._moving -= 1
            self._changed.notify_all()
        while True:
            threading.Event().wait()

    def wait_until_parked(self, patience: timedelta) -> bool:
        """Wait until nothing moves, at most `patience`; tell whether that was reached."""
        with self._changed:
            return self._changed.wait_for(lambda: self._moving <= 0, patience.total_seconds())
