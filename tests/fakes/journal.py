"""A journal whose process dies at a chosen point, for crash tests without processes."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from bot.adapters.engine.memory import MemoryJournal, Steps
from bot.kernel.clock import Clock
from tests.fakes.clock import FakeClock

T = TypeVar("T")


class Killed(BaseException):
    """What `kill -9` looks like from inside: no handler of ours sees it."""


class MortalJournal:
    """A `MemoryJournal` that dies once `dies_after` did its work and before that is recorded.

    Resume with a `MemoryJournal` over the same `steps`.
    """

    def __init__(self, dies_after: str, clock: Clock | None = None) -> None:
        self.steps: Steps = {}
        self._dies_after = dies_after
        self._journal = MemoryJournal(clock or FakeClock(), self.steps)

    def step(self, name: str, do: Callable[[], T]) -> T:
        def do_and_maybe_die() -> T:
            result = do()
            if name == self._dies_after:
                raise Killed(name)
            return result

        return self._journal.step(name, do_and_maybe_die)

    def pause(self, duration: timedelta) -> None:
        self._journal.pause(duration)
