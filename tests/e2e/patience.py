"""Waiting on a condition of other processes, which can only be asked again and again."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GIVE_UP_AFTER_S = 40.0
ASK_EVERY_S = 0.02


def until(ask: Callable[[], T | None], what: str, *, within_s: float = GIVE_UP_AFTER_S) -> T:
    """Return the first answer of `ask` that is neither None nor False.

    Raises:
        AssertionError: `what` did not come about within `within_s`.

    """
    end_s = time.monotonic() + within_s
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > end_s:
            raise AssertionError(f"waited {within_s:.0f} s for {what}")
        threading.Event().wait(ASK_EVERY_S)
