"""The progress of a build as v2 shows it: always the whole state, derived from its stages."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.subhosting import stages
from bot.subhosting.build.plan import INSTALL
from bot.subhosting.service.databases import DENO_KV
from bot.subhosting.service.timelines import partition_of
from bot.subhosting.stages import PENDING, SKIPPED, Stage, Stages, StageStatus
from bot.subhosting.store.records import Context, DeploymentRecord, Status

_BROKEN = (StageStatus.TIMED_OUT, StageStatus.CANCELLED, StageStatus.ERRORED)


def document(
    record: DeploymentRecord, linked: Mapping[Context, Mapping[str, str]]
) -> dict[str, Any]:
    """Return a RevisionProgress; `linked` are the databases of each context, by name."""
    found = _stages(record)
    config = record.config or {"install": INSTALL}
    command = config.get("predeploy")
    timelines = [
        {
            **_timeline(found, context, command),
            "partition": partition_of(context, record.id),
            "databases": [_database(record) for _ in linked.get(context, {})],
        }
        for context in record.timelines
    ]
    return {
        "queued": _stage(found[stages.QUEUED]),
        "preparing": _stage(found[stages.PREPARING]),
        "installing": {
            **_stage(found[stages.INSTALLING]),
            "command": config.get("install"),
        },
        "building": {**_stage(found[stages.BUILDING]), "command": config.get("build")},
        "deploying": {**_stage(found[stages.DEPLOYING]), "timelines": timelines},
    }


def _timeline(found: dict[str, Stage], context: Context, command: str | None) -> dict[str, Any]:
    # Builds of an earlier version had no such stage.
    predeploy = found.get(stages.predeploy(context), SKIPPED)
    warm_up = found.get(stages.warm_up(context), PENDING)
    routing = found.get(stages.routing(context), PENDING)
    return {
        **_stage(_whole([predeploy, warm_up, routing])),
        "slug": str(context),
        "predeploy": {**_stage(predeploy), "command": command},
        "warmup": _stage(warm_up),
        "routing": _stage(routing),
    }


def _database(record: DeploymentRecord) -> dict[str, Any]:
    """Return the stage of a database: it is linked in the moment in which the revision is made."""
    made_at = record.created_at
    stage = Stage(status=StageStatus.SUCCEEDED, start=made_at, end=made_at)
    return {**_stage(stage), "engine": DENO_KV}


def _whole(parts: Sequence[Stage]) -> Stage:
    """Return the stage that consists of these, passed one after the other."""
    done = [each for each in parts if each.status is not StageStatus.SKIPPED]
    if not done:
        return SKIPPED
    began = next((each.start for each in done if each.start is not None), None)
    broken = next((each for each in done if each.status in _BROKEN), None)
    if broken is not None:
        return Stage(status=broken.status, start=began, end=broken.end)
    if all(each.status is StageStatus.SUCCEEDED for each in done):
        return Stage(status=StageStatus.SUCCEEDED, start=began, end=done[-1].end)
    if began is None:
        return PENDING
    return Stage(status=StageStatus.RUNNING, start=began)


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
