"""How far a build is, stage by stage: written by the host, read by both APIs.

A stage is a word and two moments. The names are those of v2's progress; what is done once per
timeline has the timeline's slug behind it (`warmup:production`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

QUEUED = "queued"
PREPARING = "preparing"
INSTALLING = "installing"
BUILDING = "building"
DEPLOYING = "deploying"

# In the order in which they are passed.
ALL = (QUEUED, PREPARING, INSTALLING, BUILDING, DEPLOYING)


def predeploy(timeline: str) -> str:
    """Return the name of the stage that runs the app's own command before a timeline has it."""
    return f"predeploy:{timeline}"


def warm_up(timeline: str) -> str:
    """Return the name of the stage that starts the app on a timeline."""
    return f"warmup:{timeline}"


def routing(timeline: str) -> str:
    """Return the name of the stage that leads hosts of a timeline to the app."""
    return f"routing:{timeline}"


_OF_A_TIMELINE = (predeploy, warm_up, routing)


class StageStatus(StrEnum):
    """What a stage has come to; v2's own words."""

    PENDING = "pending"
    SKIPPED = "skipped"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage; a skipped or pending one has no times."""

    status: StageStatus
    start: datetime | None = None
    end: datetime | None = None

    def ended(self, status: StageStatus, now: datetime) -> "Stage":
        """Return the stage as it is at its end; one that never began is over at once."""
        return replace(self, status=status, start=self.start or now, end=now)


PENDING = Stage(status=StageStatus.PENDING)
SKIPPED = Stage(status=StageStatus.SKIPPED)


class Stages:
    """The stages of one build under way."""

    def __init__(self, created_at: datetime, timelines: Sequence[str]) -> None:
        """Begin in the queue, where the deployment has been since `created_at`."""
        each = [name(timeline) for timeline in timelines for name in _OF_A_TIMELINE]
        self._stages = dict.fromkeys((*ALL, *each), PENDING)
        self._stages[QUEUED] = Stage(status=StageStatus.RUNNING, start=created_at)
        self.current = QUEUED

    def begin(self, name: str, now: datetime) -> None:
        """Enter a stage; nothing happens to one that runs."""
        if self._stages[name].status is not StageStatus.RUNNING:
            self._stages[name] = Stage(status=StageStatus.RUNNING, start=now)
        if name in ALL:
            self.current = name

    def end(self, name: str, now: datetime) -> None:
        """Leave a stage that went well."""
        self._stages[name] = self._stages[name].ended(StageStatus.SUCCEEDED, now)

    def skip(self, name: str) -> None:
        """Pass a stage that has nothing to do."""
        self._stages[name] = SKIPPED

    def again(self, names: Sequence[str]) -> None:
        """Take back stages that will be entered once more."""
        for name in names:
            self._stages[name] = PENDING

    def break_off(self, status: StageStatus, now: datetime) -> None:
        """End what runs with `status` and skip what would have come."""
        for name, stage in self._stages.items():
            if stage.status is StageStatus.RUNNING:
                self._stages[name] = stage.ended(status, now)
            elif stage.status is StageStatus.PENDING:
                self._stages[name] = SKIPPED

    def document(self) -> dict[str, dict[str, str]]:
        """Return what is stored: ISO moments, and nothing where there is none."""
        return {name: _document(stage) for name, stage in self._stages.items()}


def from_document(document: Mapping[str, Mapping[str, str]]) -> dict[str, Stage]:
    """Return the stages that `Stages.document` wrote."""
    return {
        name: Stage(
            status=StageStatus(stage["status"]),
            start=_moment(stage.get("start")),
            end=_moment(stage.get("end")),
        )
        for name, stage in document.items()
    }


def _document(stage: Stage) -> dict[str, str]:
    times = {"start": stage.start, "end": stage.end}
    known = {name: moment.isoformat() for name, moment in times.items() if moment is not None}
    return {"status": str(stage.status), **known}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
