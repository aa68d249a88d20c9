from datetime import timedelta

import pytest

from bot.core.decide.retry import OUTSIDE_WORLD, RetryPolicy

POLICY = RetryPolicy(
    attempts=4, first_wait=timedelta(seconds=1), longest_wait=timedelta(seconds=3)
)


def test_waits_double_and_stop_growing() -> None:
    waits = [POLICY.wait_before(attempt) for attempt in (2, 3, 4)]

    assert waits == [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=3)]


def test_after_the_last_attempt_there_is_no_wait() -> None:
    assert POLICY.wait_before(5) is None


def test_nothing_waits_before_the_first_attempt() -> None:
    with pytest.raises(ValueError, match="attempt 1"):
        POLICY.wait_before(1)


def test_a_huge_attempt_number_does_not_overflow() -> None:
    patient = RetryPolicy(
        attempts=10**9, first_wait=timedelta(days=1), longest_wait=timedelta(days=2)
    )

    assert patient.wait_before(10**8) == timedelta(days=2)


def test_the_outside_world_is_given_less_than_a_minute() -> None:
    waits = [OUTSIDE_WORLD.wait_before(n) for n in range(2, OUTSIDE_WORLD.attempts + 1)]

    assert sum((wait for wait in waits if wait), timedelta()) < timedelta(minutes=1)
