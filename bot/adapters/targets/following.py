"""Following a build where the platform tells nothing by itself: by looking again and again."""

from collections.abc import Callable, Generator
from datetime import timedelta

from bot.kernel.clock import Clock
from bot.ports.target import Building, Observation

# A small app boots in some 30 ms, a build takes minutes: look often at first, then ever less.
FIRST_WAIT = timedelta(milliseconds=4)
LONGEST_WAIT = timedelta(seconds=1)
GROWTH = 1.4


def by_looking(
    observe: Callable[[], Observation], clock: Clock, *, at_most: timedelta | None = None
) -> Generator[Observation, None, bool]:
    """Yield what `observe` returns until that is decided; the caller is held between the looks.

    Returns whether it was decided: not, when waits of `at_most` in all have not sufficed.
    """
    wait, waited = FIRST_WAIT, timedelta()
    while True:
        seen = observe()
        yield seen
        if not isinstance(seen, Building):
            return True
        if at_most is not None and waited >= at_most:
            return False
        clock.sleep(wait)
        waited += wait
        wait = min(wait * GROWTH, LONGEST_WAIT)
