"""Deno Deploy API v2: deploying, revisions, timelines, progress, logs and analytics.

Sources as in `bot.wire.deploy_v2`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from bot.wire.deploy_v2 import (
    ABSENT,
    Config,
    EnvKey,
    EnvValue,
    LabelValue,
    LayerRef,
    LayerReference,
    WireModel,
)


class FileAsset(WireModel):
    """A file, always with its bytes: v2 knows no references by hash."""

    kind: Literal["file"] = "file"
    encoding: Literal["utf-8", "base64"] = "utf-8"
    content: str


class SymlinkAsset(WireModel):
    """A symbolic link; `target` is relative to the link's own folder."""

    kind: Literal["symlink"]
    target: str


def _kind(asset: object) -> object:
    # Published: kind defaults to file, so a plain discriminator would refuse its absence.
    if isinstance(asset, dict):
        return asset.get("kind", "file")
    return getattr(asset, "kind", None)


Asset = Annotated[
    Annotated[FileAsset, Tag("file")] | Annotated[SymlinkAsset, Tag("symlink")],
    Discriminator(_kind),
]


class RevisionEnvVar(WireModel):
    """A variable of one revision: no contexts, never secret, unchangeable."""

    key: EnvKey
    value: EnvValue


class DatabaseReference(WireModel):
    """A database bound to a target: the instance by id or slug, the name without placeholders."""

    instance: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1, pattern=r"^[^{}]+\Z")]


class TargetObject(WireModel):
    """Explicit mode of a target: with `domains`, only these hosts, each pinned; `[]` is none.

    Without `domains` it means the same as true.
    """

    domains: list[Annotated[str, Field(min_length=1)]] | None = ABSENT
    databases: list[DatabaseReference] | None = ABSENT


# Strict, because "false" as text was seen refused with 400.
Target = StrictBool | TargetObject


class Retention(StrEnum):
    """When a revision is collected; INDEFINITE is an entitlement, refused with 403 without it."""

    AUTO = "auto"
    INDEFINITE = "indefinite"


class DeployInit(WireModel):
    """Body of POST /apps/{app}/deploy; asset paths are relative to /app/src.

    What is absent is inherited from the app; `config`, when given, replaces the app's whole.
    """

    assets: dict[str, Asset]
    config: Config | None = None
    layers: list[LayerReference] | None = None
    env_vars: list[RevisionEnvVar] | None = None
    # The limit of five is published for apps; nothing is published for revisions.
    labels: dict[str, LabelValue] | None = None
    production: Target = True
    preview: Target = False
    retention: Retention = Retention.AUTO


class RevisionUpdate(WireModel):
    """Body of PATCH /revisions/{revision}."""

    retention: Retention | None = None


class DeployDomains(WireModel):
    """Body of PUT /revisions/{revision}/domains; additive."""

    production: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    preview: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)


class RevisionStatus(StrEnum):
    """queued, building, then succeeded or failed; queued, then failed or skipped."""

    SKIPPED = "skipped"
    QUEUED = "queued"
    BUILDING = "building"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class FailureReason(StrEnum):
    """Why a revision did not succeed."""

    ERROR = "error"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"


class FailureDetail(WireModel):
    """A failure after a good build. Plain text: readers must bear values not published yet."""

    stage: str
    code: str
    message: str


class RevisionTimeline(WireModel):
    """Where a revision is reached now: `Production`, `Preview`, `Production (pinned)`."""

    name: str
    context: str
    hostnames: list[str]


class RevisionListItem(WireModel):
    """A revision as lists show it. An unknown status of a stranger's server is kept as text."""

    id: str
    status: Annotated[RevisionStatus | str, Field(union_mode="left_to_right")]
    failure_reason: Annotated[FailureReason | str | None, Field(union_mode="left_to_right")]
    labels: dict[str, LabelValue] | None = ABSENT
    created_at: datetime
    cancellation_requested_at: datetime | None
    build_finished_at: datetime | None
    deleted_at: datetime | None
    retention: Retention | None = ABSENT
    # Ours: it serves nobody, because nobody visited it.
    disabled_at: datetime | None = ABSENT


class Revision(RevisionListItem):
    """A revision, whole."""

    failure_detail: FailureDetail | None
    layers: list[LayerRef]
    env_vars: list[RevisionEnvVar]
    config: Config | None = ABSENT
    timelines: list[RevisionTimeline]


class TimelineDomain(WireModel):
    """A host of a timeline."""

    domain: str


class TimelineApp(WireModel):
    """The app of a timeline; in both SDKs' types, not in the published schema."""

    id: str
    slug: str


class TimelineContext(WireModel):
    """The context of a timeline; in both SDKs' types, not in the published schema."""

    slug: str


class Timeline(WireModel):
    """A deployment target within an app; the partition is empty or `{"git.branch": ...}`."""

    slug: str
    partition: dict[str, str]
    domains: list[TimelineDomain]
    app: TimelineApp | None = ABSENT
    context: TimelineContext | None = ABSENT


class StageStatus(StrEnum):
    """What a stage of the build has come to."""

    PENDING = "pending"
    SKIPPED = "skipped"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    ERRORED = "errored"


_NOT_STARTED = {StageStatus.PENDING, StageStatus.SKIPPED}


class ProgressStage(WireModel):
    """One stage: a start once it runs, an end once it ended."""

    status: StageStatus
    start: datetime | None = ABSENT
    end: datetime | None = ABSENT

    @model_validator(mode="after")
    def _times_fit_the_status(self) -> Self:
        started = self.status not in _NOT_STARTED
        ended = started and self.status is not StageStatus.RUNNING
        if (started and self.start is None) or (ended and self.end is None):
            msg = f"a stage that is {self.status} has a start, and an end once it ended"
            raise ValueError(msg)
        return self


class CommandStage(ProgressStage):
    """A stage that runs the user's command; null when there is none."""

    command: str | None


class DatabaseStage(ProgressStage):
    """A database being made ready."""

    engine: str


class TimelineName(WireModel):
    """A timeline by its name."""

    slug: str
    partition: dict[str, str]


class BlockedRouting(WireModel):
    """Routing that waits for other timelines."""

    status: Literal["timeline_blocked"]
    timelines: list[TimelineName]
    stage: Literal["warmup"]


class TimelineStage(ProgressStage):
    """The deploying stage on one timeline."""

    slug: str
    partition: dict[str, str]
    # npm 0.13.2 still names one `database` here; the published document has the list.
    databases: list[DatabaseStage]
    predeploy: CommandStage
    warmup: ProgressStage | None = ABSENT
    routing: ProgressStage | BlockedRouting


class DeployingStage(ProgressStage):
    """The last stage, timeline by timeline."""

    timelines: list[TimelineStage]


class RevisionProgress(WireModel):
    """One item of the progress stream: always the whole state."""

    queued: ProgressStage
    preparing: ProgressStage
    installing: CommandStage
    building: CommandStage
    deploying: DeployingStage


class LogLevel(StrEnum):
    """v2's levels in rising severity; v1 says `warning`."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class BuildStep(StrEnum):
    """The stage a line of the build log belongs to."""

    PREPARING = "preparing"
    INSTALLING = "installing"
    BUILDING = "building"
    DEPLOYING = "deploying"


class BuildLogEntry(WireModel):
    """One line of the build log; `timeline` comes with the deploying step only."""

    timestamp: datetime
    level: LogLevel
    message: str
    step: BuildStep | None = ABSENT
    timeline: str | None = ABSENT


class RuntimeLog(WireModel):
    """One line that an app wrote."""

    timestamp: datetime
    level: LogLevel
    message: str
    revision_id: str | None = ABSENT
    region: str | None = ABSENT
    trace_id: str | None = ABSENT
    span_id: str | None = ABSENT


class RuntimeLogPage(WireModel):
    """One page of an app's log, oldest line first."""

    logs: list[RuntimeLog]
    next_cursor: str | None


class AnalyticsField(WireModel):
    """A column; map by name, never by position."""

    name: str
    type: Literal["time", "number"]


class Analytics(WireModel):
    """Fixed 15-minute buckets in UTC, one row each; `time` is the bucket's start."""

    fields: list[AnalyticsField]
    values: list[list[str | int | float]]
