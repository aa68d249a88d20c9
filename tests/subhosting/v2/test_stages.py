"""Stages of a build, without a build."""

from datetime import UTC, datetime, timedelta

from bot.subhosting import stages
from bot.subhosting.stages import Stages, StageStatus

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def test_a_build_that_breaks_off_skips_what_would_have_come() -> None:
    known = Stages(NOW, ["production"])
    known.end(stages.QUEUED, NOW)
    known.begin(stages.PREPARING, NOW)
    known.break_off(StageStatus.CANCELLED, LATER)

    found = stages.from_document(known.document())

    assert found[stages.QUEUED].status is StageStatus.SUCCEEDED
    assert (found[stages.PREPARING].start, found[stages.PREPARING].end) == (NOW, LATER)
    assert found[stages.PREPARING].status is StageStatus.CANCELLED
    assert found[stages.warm_up("production")].status is StageStatus.SKIPPED
    assert found[stages.DEPLOYING].start is None


def test_entering_a_running_stage_keeps_its_start_and_going_back_does_not() -> None:
    known = Stages(NOW, [])
    known.begin(stages.DEPLOYING, NOW)
    known.begin(stages.DEPLOYING, LATER)
    kept = stages.from_document(known.document())[stages.DEPLOYING].start
    known.again([stages.DEPLOYING])
    known.begin(stages.DEPLOYING, LATER)

    assert kept == NOW
    assert stages.from_document(known.document())[stages.DEPLOYING].start == LATER
