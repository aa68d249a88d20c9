"""Trying again, by our own rules: PyGithub's never repeat a PATCH, and repeat a POST blindly.

An attempt is told when it is not the first, so that it can look whether an earlier one took effect
although its answer was lost.
"""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar, assert_never

from bot.adapters.github.errors import (
    TROUBLES,
    LoginExpired,
    Refused,
    Trouble,
    TryLater,
    trouble_of,
)
from bot.core.model.errors import ForgeError, ForgeRefused, ForgeUnavailable
from bot.kernel.clock import Clock

MAX_ATTEMPTS = 5

# Doubled after every attempt: 0.5 to 4 s, for a server that gave no hint.
FIRST_WAIT = timedelta(seconds=0.5)

# A worker that waits holds a slot. Secondary limits ask for a minute or two; a used-up hour is the
# caller's business.
LONGEST_WAIT = timedelta(minutes=3)

_UNAUTHORIZED = 401

# GitHub hides what a token may not see behind 404.
_RIGHT_IS_MISSING = {403, 404}

Result = TypeVar("Result")


class Retries:
    """The one place that repeats calls to GitHub."""

    def __init__(self, clock: Clock) -> None:
        """Wait by `clock`."""
        self._clock = clock

    def call(
        self,
        request: str,
        attempt: Callable[[int], Result],
        *,
        right: str,
        log_in_again: Callable[[], None] | None = None,
    ) -> Result:
        """Return what `attempt` returns; it is given its number, counted from 1.

        `request` names the call in errors, `right` the permission that it needs. `log_in_again` is
        called once, when the token is refused or reaches too little: one that was minted before
        the App was given a repository or a permission does not know of it.

        Raises:
            ForgeUnavailable: it failed `MAX_ATTEMPTS` times, or is asked to wait too long.
            ForgeRefused: GitHub said no.

        """
        for number in itertools.count(1):
            try:
                return attempt(number)
            except TROUBLES as error:
                trouble = trouble_of(error, self._clock.now())
                if log_in_again is not None and _may_be_the_token(trouble):
                    log_in_again()
                    log_in_again = None
                    continue
                wait = _wait_or_give_up(request, trouble, number, right)
                if isinstance(wait, ForgeError):
                    raise wait from error
                self._clock.sleep(wait)
        raise AssertionError  # the loop has no other end; mypy does not know count()


def _may_be_the_token(trouble: Trouble) -> bool:
    match trouble:
        case LoginExpired():
            return True
        case Refused(status=status):
            return status in _RIGHT_IS_MISSING
        case TryLater():
            return False
        case impossible:
            assert_never(impossible)


def _wait_or_give_up(
    request: str, trouble: Trouble, number: int, right: str
) -> timedelta | ForgeError:
    """Return how long to wait after the `number`th attempt, or the error to end with."""
    match trouble:
        case Refused(status=status, message=message):
            if status in _RIGHT_IS_MISSING:
                message = f"{message}; it needs {right}"
            return ForgeRefused(request, status=status, message=message)
        case LoginExpired(problem=problem):
            return ForgeRefused(
                request, status=_UNAUTHORIZED, message=f"{problem}; is the token or key right?"
            )
        case TryLater(problem=problem, wait=asked):
            wait = asked or FIRST_WAIT * 2 ** (number - 1)
            if number < MAX_ATTEMPTS and wait <= LONGEST_WAIT:
                return wait
            hint = f", asked to wait {asked.total_seconds():.0f} s" if asked else ""
            return ForgeUnavailable(request, f"{problem} (attempt {number}{hint})")
        case impossible:
            assert_never(impossible)
