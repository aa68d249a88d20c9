"""What came of the attempts at each level, run once, and how one of them is judged."""

from pathlib import Path

import pytest

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import Attempt, Place
from tests.sandbox.attempts.everything import ATTEMPTS
from tests.sandbox.escaping import Outcome, outcomes
from tests.sandbox.table import is_tried

_NEEDED = {Level.L1: "landlock", Level.L2: "bubblewrap", Level.L3: "bubblewrap"}

TRIED = [
    pytest.param(attempt, place, id=f"{place.value}-{attempt.id}")
    for attempt in ATTEMPTS
    for place in Place
    if is_tried(attempt, place)
]


def at(*levels: Level) -> list[object]:
    """Return the parameters of `levels`, each with the system part that it needs."""
    return [
        pytest.param(
            level,
            id=level.name,
            marks=[pytest.mark.needs_system_part(_NEEDED[level])] if level in _NEEDED else [],
        )
        for level in levels
    ]


class Trial:
    """Runs all attempts of a level when first asked for, together."""

    def __init__(self, folder: Path) -> None:
        """Keep a data directory per level in `folder`."""
        self._folder = folder
        self._known: dict[Level, dict[Place, Outcome]] = {}

    def judge(self, attempt: Attempt, place: Place, level: Level) -> None:
        """Hold that `attempt` fails where it should, and that a gap which we list is one."""
        if level not in self._known:
            self._known[level] = outcomes(self._folder / level.name / "data", level.name)
        outcome = self._known[level][place]
        held_from = attempt.held_from(place)
        assert held_from is not None

        won = outcome.has_won(attempt)

        if level >= held_from:
            assert not won, outcome.answers[attempt.id]
        elif attempt.shown:
            assert won, f"a gap that is none any more: {outcome.answers[attempt.id]}"
