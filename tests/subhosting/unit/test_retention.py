"""What becomes of revisions that nobody visits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.subhosting.config import RetentionLimits
from bot.subhosting.retention import Candidate, Fate, fates

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LIMITS = RetentionLimits()
SECOND = timedelta(seconds=1)
FRESH = Candidate(id="r", project_id="p", used_at=NOW, disabled_at=None, in_use=False)
IDLE = replace(FRESH, used_at=NOW - LIMITS.disable_after - SECOND)
DISABLED = replace(IDLE, disabled_at=NOW - LIMITS.delete_after)


@pytest.mark.parametrize(
    ("candidate", "fate"),
    [
        (FRESH, None),
        (replace(FRESH, used_at=NOW - LIMITS.disable_after), None),
        (IDLE, Fate.DISABLE),
        (replace(IDLE, in_use=True), None),
        (DISABLED, None),
        (replace(DISABLED, disabled_at=NOW - LIMITS.delete_after - SECOND), Fate.DELETE),
        (replace(DISABLED, in_use=True), Fate.ENABLE),
    ],
)
def test_the_fate_of_a_revision(candidate: Candidate, fate: Fate | None) -> None:
    assert fates([candidate], NOW, LIMITS) == ({} if fate is None else {candidate: fate})
