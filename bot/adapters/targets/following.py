"""Following a build where the platform tells nothing by itself: by looking again and again."""

from collections.abc import Callable
from datetime import timedelta

from bot.kernel.clock import Clock
from bot.ports.target import Building, Following, Observation

# A small app boots in some 30 ms, a build takes minutes: look often at first, then ever less.
FIRST_WAIT = timedelta(milliseconds=4)
LONGEST_WAIT = timedelta(seconds=1)
GROWTH = 1.4


def by_looking(observe: Callable[[], Observation], clock: Clock) -> Following:
    """Yield what `observe` returns until that is decided; the caller is held between the looks."""
    wait = FIRST_WAIT
    while True:
        seen = observe()
        yield seen
        if not isinstance(seen, Building):
            return
        clock.sleep(wait)
        wait = min(wait * GROWTH, LONGEST_WAIT)
