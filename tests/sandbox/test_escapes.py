"""Attempts to escape, one by one, at every level that this machine reaches."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import Attempt, Place
from tests.sandbox.attempts.everything import ATTEMPTS
from tests.sandbox.escaping import Outcome, outcomes
from tests.sandbox.table import LEVELS, is_tried

NEEDED = {Level.L1: "landlock", Level.L2: "bubblewrap", Level.L3: "bubblewrap"}
TRIED_LEVELS = [
    pytest.param(
        level,
        id=level.name,
        marks=[pytest.mark.needs_system_part(NEEDED[level])] if level in NEEDED else [],
    )
    for level in LEVELS
]

TRIED = [
    pytest.param(attempt, place, id=f"{place.value}-{attempt.id}")
    for attempt in ATTEMPTS
    for place in Place
    if is_tried(attempt, place)
]

Came = Callable[[Level, Place], Outcome]


@pytest.fixture(scope="session")
def came(tmp_path_factory: pytest.TempPathFactory) -> Came:
    """Return what came of all attempts at a level; they run when first asked for, together."""
    known: dict[Level, dict[Place, Outcome]] = {}

    def find(level: Level, place: Place) -> Outcome:
        if level not in known:
            folder: Path = tmp_path_factory.mktemp(level.name)
            known[level] = outcomes(folder / "data", level.name)
        return known[level][place]

    return find


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", TRIED_LEVELS)
@pytest.mark.parametrize(("attempt", "place"), TRIED)
def test_an_attempt_to_escape_is_held_or_is_a_known_gap(
    came: Came, attempt: Attempt, place: Place, level: Level
) -> None:
    outcome = came(level, place)
    held_from = attempt.held_from(place)
    assert held_from is not None

    won = outcome.has_won(attempt)

    if level >= held_from:
        assert not won, outcome.answers[attempt.id]
    elif attempt.shown:
        assert won, f"a gap that is none any more: {outcome.answers[attempt.id]}"
