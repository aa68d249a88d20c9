"""Attempts to escape, one by one: all of them at L0, L2 and L3; at L1 those that it must hold.

At L1 everything else is decided by what holds at L0 already; `soak/test_escapes.py` tries it there
all the same.
"""

import pytest

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import Attempt, Place
from tests.sandbox.trial import TRIED, Trial, at, is_held_by, tried

BY_LANDLOCK = is_held_by(Level.L1)


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("escapes"))


@pytest.fixture(scope="session")
def trial_of_landlock(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("landlock"), BY_LANDLOCK)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", at(Level.L0, Level.L2, Level.L3))
@pytest.mark.parametrize(("attempt", "place"), TRIED)
def test_an_attempt_to_escape_is_held_or_is_a_known_gap(
    trial: Trial, attempt: Attempt, place: Place, level: Level
) -> None:
    trial.judge(attempt, place, level)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", at(Level.L1))
@pytest.mark.parametrize(("attempt", "place"), tried(BY_LANDLOCK))
def test_what_landlock_alone_must_hold_is_held(
    trial_of_landlock: Trial, attempt: Attempt, place: Place, level: Level
) -> None:
    trial_of_landlock.judge(attempt, place, level)
