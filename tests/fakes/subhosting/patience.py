"""A clock for those who wait for a platform: nobody really waits, and things happen meanwhile."""

from collections.abc import Callable
from datetime import timedelta

from typing_extensions import override

from tests.fakes.clock import FakeClock


class PatientClock(FakeClock):
    """A fake clock on which `on_sleep` happens whenever somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.on_sleep: Callable[[], None] = lambda: None

    @override
    def sleep(self, duration: timedelta) -> None:
        super().sleep(duration)
        self.on_sleep()
