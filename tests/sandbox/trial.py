"""What came of the attempts at each level, run once, and how one of them is judged."""

from pathlib import Path

import pytest

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import Attempt, Place
from tests.sandbox.attempts.everything import ATTEMPTS
from tests.sandbox.escaping import Outcome, Tried, outcomes
from tests.sandbox.table import is_tried

_NEEDED = {Level.L1: "landlock", Level.L2: "bubblewrap", Level.L3: "bubblewrap"}


def tried(by: Tried) -> list[object]:
    """Return the parameters of the attempts that are made, in each place."""
    return [
        pytest.param(attempt, place, id=f"{place.value}-{attempt.id}")
        for attempt in ATTEMPTS
        for place in Place
        if by(attempt, place)
    ]


TRIED = tried(is_tried)


def is_held_by(level: Level) -> Tried:
    """Tell attempts by whether it is this level that begins to hold them."""

    def is_held(attempt: Attempt, place: Place) -> bool:
        return is_tried(attempt, place) and attempt.held_from(place) is level

    return is_held


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
    """Runs the attempts of a level when first asked for one of them, together."""

    def __init__(self, folder: Path, tried: Tried = is_tried) -> None:
        """Keep a data directory per level in `folder`, and try what is `tried`."""
        self._folder = folder
        self._is_tried = tried
        self._known: dict[Level, dict[Place, Outcome]] = {}

    def judge(self, attempt: Attempt, place: Place, level: Level) -> None:
        """Hold that `attempt` fails where it should, and that a gap which we list is one."""
        if level not in self._known:
            folder = self._folder / level.name / "data"
            self._known[level] = outcomes(folder, level.name, self._is_tried)
        outcome = self._known[level][place]
        held_from = attempt.held_from(place)
        assert held_from is not None

        won = outcome.has_won(attempt)

        if level >= held_from:
            assert not won, outcome.answers[attempt.id]
        elif attempt.shown:
            assert won, f"a gap that is none any more: {outcome.answers[attempt.id]}"
