"""Durable steps: what has been done once is not done again, whatever was killed in between."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

T = TypeVar("T")


class Journal(Protocol):
    """The memory of one running workflow.

    Everything between two steps is repeated when the workflow resumes, and so is a step that was
    killed before its result was written down: effects inside need natural keys.
    """

    def step(self, name: str, do: Callable[[], T]) -> T:
        """Return the recorded result of `name`, or run `do`, record and return its result.

        Steps must come in the same order each time. Results are plain values (pickled).
        """
        ...

    def pause(self, duration: timedelta) -> None:
        """Wait inside a step.

        When the process is asked to stop this never returns: the work is handed back at this
        very point, where no outside effect is half done.
        """
        ...
