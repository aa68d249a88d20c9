"""The progress of a build as v2 shows it: always the whole state, derived from its stages."""

from typing import Any

from bot.subhosting import stages
from bot.subhosting.service.deploying import INSTALL
from bot.subhosting.stages import PENDING, SKIPPED, Stage, Stages, StageStatus
from bot.subhosting.store.records import Context, DeploymentRecord, Status


def document(record: DeploymentRecord) -> dict[str, Any]:
    """Return a RevisionProgress."""
    found = _stages(record)
    config = record.config or {"install": INSTALL}
    timelines = [_timeline(found, context) for context in record.timelines]
    return {
        "queued": _stage(found[stages.QUEUED]),
        "preparing": _stage(found[stages.PREPARING]),
        "installing": {
            **_stage(found[stages.INSTALLING]),
            "command": config.get("install"),
        },
        # Nothing is built here: a deploy that asks for it is refused.
        "building": {**_stage(found[stages.BUILDING]), "command": config.get("build")},
        "deploying": {**_stage(found[stages.DEPLOYING]), "timelines": timelines},
    }


def _timeline(found: dict[str, Stage], context: Context) -> dict[str, Any]:
    warm_up = found.get(stages.warm_up(context), PENDING)
    routing = found.get(stages.routing(context), PENDING)
    return {
        **_stage(_whole(warm_up, routing)),
        "slug": str(context),
        "partition": {},
        "databases": [],
        "predeploy": {**_stage(SKIPPED), "command": None},
        "warmup": _stage(warm_up),
        "routing": _stage(routing),
    }


def _whole(warm_up: Stage, routing: Stage) -> Stage:
    """Return the stage that consists of the two."""
    if routing.status in (StageStatus.PENDING, StageStatus.SKIPPED):
        if warm_up.status is StageStatus.SUCCEEDED:
            return Stage(status=StageStatus.RUNNING, start=warm_up.start)
        return warm_up
    return Stage(status=routing.status, start=warm_up.start or routing.start, end=routing.end)


def _stages(record: DeploymentRecord) -> dict[str, Stage]:
    """Return the stages; of a build that nobody followed, what its status tells."""
    if record.stages is not None:
        return stages.from_document(record.stages)
    known = Stages(record.created_at, record.timelines)
    if record.status is not Status.PENDING:
        known.end(stages.QUEUED, record.updated_at)
        known.begin(stages.DEPLOYING, record.created_at)
        success = record.status is Status.SUCCESS
        status = StageStatus.SUCCEEDED if success else StageStatus.ERRORED
        known.break_off(status, record.updated_at)
    return stages.from_document(known.document())


def _stage(stage: Stage) -> dict[str, str]:
    times = {"start": stage.start, "end": stage.end}
    known = {
        name: moment.isoformat().replace("+00:00", "Z")
        for name, moment in times.items()
        if moment is not None
    }
    return {"status": str(stage.status), **known}
