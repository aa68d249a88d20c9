"""The journal in a dict: for `previewbot deploy`, which runs once, and for tests."""

import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar, cast

from bot.adapters.engine.recorded import result_of, value_of
from bot.kernel.clock import Clock

T = TypeVar("T")

# Step by place: its name and its result, pickled as the durable journal would.
Steps = dict[int, tuple[str, bytes]]


class MemoryJournal:
    """The memory of one workflow; a second journal over the same `steps` resumes it."""

    def __init__(self, clock: Clock, steps: Steps | None = None) -> None:
        self.steps: Steps = {} if steps is None else steps
        self._clock = clock
        self._place = 0

    def step(self, name: str, do: Callable[[], T]) -> T:
        """Return the recorded result of `name`, or run `do`, record and return its result.

        An exception of `do` is recorded and raised like a result.

        Raises:
            RuntimeError: another step is recorded at this place.

        """
        self._place += 1
        recorded_name, pickled = self.steps.get(self._place, (name, None))
        if recorded_name != name:
            msg = f"step {self._place} is {name}, but {recorded_name} is recorded there"
            raise RuntimeError(msg)
        if pickled is None:
            result: object = result_of(do)
            self.steps[self._place] = (name, pickle.dumps(result))
        else:
            result = pickle.loads(pickled)  # noqa: S301 - our own bytes
        return cast("T", value_of(result))

    def pause(self, duration: timedelta) -> None:
        """Wait inside a step."""
        self._clock.sleep(duration)
