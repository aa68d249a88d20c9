"""The journal on DBOS: each step's result is written to the database before the next begins."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar, cast

from dbos import DBOS

from bot.adapters.engine.recorded import result_of, value_of
from bot.adapters.engine.stopping import StopSignal

T = TypeVar("T")


class DbosJournal:
    """The memory of the workflow that runs in the calling thread."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop

    def step(self, name: str, do: Callable[[], T]) -> T:
        """Return the recorded result of `name`, or run `do`, record and return its result.

        An exception of `do` is recorded and raised like a result. Never returns once the process
        was asked to stop.

        Raises:
            DBOSUnexpectedStepError: another step is recorded at this place.

        """
        self._stop.checkpoint()
        result = DBOS.run_step({"name": name}, result_of, do)  # no retries: those are the ports'
        return cast("T", value_of(result))

    def pause(self, duration: timedelta) -> None:
        """Wait inside a step; never returns once the process was asked to stop."""
        self._stop.pause(duration)
