"""Attempts to escape at the level that `tests/sandbox/test_escapes.py` leaves out."""

import pytest

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import Attempt, Place
from tests.sandbox.trial import TRIED, Trial, at


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("escapes"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", at(Level.L1))
@pytest.mark.parametrize(("attempt", "place"), TRIED)
def test_an_attempt_to_escape_is_held_or_is_a_known_gap(
    trial: Trial, attempt: Attempt, place: Place, level: Level
) -> None:
    trial.judge(attempt, place, level)
