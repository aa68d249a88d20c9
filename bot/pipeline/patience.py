"""Waiting for the outside world inside a durable step."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from bot.core.decide.retry import OUTSIDE_WORLD, RetryPolicy
from bot.core.model.errors import ForgeUnavailable, SourceUnavailable, TargetUnavailable
from bot.ports.journal import Journal

T = TypeVar("T")

log = structlog.get_logger()

AWAY = (ForgeUnavailable, SourceUnavailable, TargetUnavailable)


def patiently(journal: Journal, do: Callable[[], T], policy: RetryPolicy = OUTSIDE_WORLD) -> T:
    """Return what `do` returns, trying again while somebody is away.

    `do` must be harmless when repeated. When `policy` has no further attempt, the last error goes
    up; an error that waiting cannot mend goes up at once.
    """
    attempt = 1
    while True:
        try:
            return do()
        except AWAY as error:
            attempt += 1
            wait = policy.wait_before(attempt)
            if wait is None:
                raise
            if isinstance(error, TargetUnavailable) and error.retry_after is not None:
                wait = min(max(wait, error.retry_after), policy.longest_wait)
            log.warning("outside_world_away", problem=str(error), next_attempt=attempt)
            journal.pause(wait)
