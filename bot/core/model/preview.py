"""Previews and their attempts: records, states, and the table of legal moves."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.core.model.environment import Trust
from bot.core.model.errors import IllegalTransition
from bot.core.model.ids import (
    AppName,
    AppSlug,
    CommitSha,
    DeploymentId,
    Generation,
    HostLabel,
    PreviewId,
    Repository,
    TargetDeploymentId,
)
from bot.core.model.lines import Line, PullLine, name_of


class DeploymentState(StrEnum):
    """Where an attempt stands."""

    WAITING = "waiting"  # for somebody's approval
    QUEUED = "queued"
    DEPLOYING = "deploying"
    LIVE = "live"
    SKIPPED = "skipped"  # on purpose: nothing was deployed
    FAILED = "failed"
    SUPERSEDED = "superseded"
    TIMED_OUT = "timed_out"


# WAITING and QUEUED may end at once: a newer push drops them, or their commit is gone.
# DEPLOYING -> DEPLOYING is what a crash and a second start look like.
_MOVES: dict[DeploymentState, frozenset[DeploymentState]] = {
    DeploymentState.WAITING: frozenset(
        {DeploymentState.WAITING, DeploymentState.QUEUED, DeploymentState.SUPERSEDED}
    ),
    DeploymentState.QUEUED: frozenset(DeploymentState)
    - {DeploymentState.WAITING, DeploymentState.LIVE},
    DeploymentState.DEPLOYING: frozenset(DeploymentState)
    - {DeploymentState.WAITING, DeploymentState.QUEUED},
    DeploymentState.LIVE: frozenset({DeploymentState.LIVE}),
    DeploymentState.SKIPPED: frozenset({DeploymentState.SKIPPED}),
    DeploymentState.FAILED: frozenset({DeploymentState.FAILED}),
    DeploymentState.SUPERSEDED: frozenset({DeploymentState.SUPERSEDED}),
    DeploymentState.TIMED_OUT: frozenset({DeploymentState.TIMED_OUT}),
}


UNFINISHED = frozenset(
    {DeploymentState.WAITING, DeploymentState.QUEUED, DeploymentState.DEPLOYING}
)


class Stage(StrEnum):
    """The stations of the main road, in order."""

    ACQUIRE = "acquire"
    MANIFEST = "manifest"
    UPLOAD = "upload"
    BUILD = "build"
    PROBE = "probe"
    BIND = "bind"
    REPORT = "report"


class BuildPhase(StrEnum):
    """What the platform does while the main road stands at `Stage.BUILD`, in order."""

    QUEUED = "queued"
    PREPARING = "preparing"
    INSTALLING = "installing"
    BUILDING = "building"
    DEPLOYING = "deploying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The long-lived thing per (repository, branch or fork's pull request, app)."""

    id: PreviewId
    repository: Repository
    line: Line
    app: AppName
    slug: AppSlug
    label: HostLabel | None  # None when the label belongs to another preview (a clash)
    generation: Generation  # of the newest attempt; 0 before the first
    buried: bool = False  # nothing may be bound any more
    buried_because: str = ""  # its branch is gone, somebody removed it, ...
    # Buried although its line goes on, by a person, for want of visitors or of room: only a new
    # commit or somebody's wish brings it back, never a repetition of what was heard before.
    removed: bool = False

    @property
    def name(self) -> str:
        """Return what people call the line: the branch, or the pull request as `#7`."""
        return name_of(self.line)

    @property
    def trust(self) -> Trust:
        """Return whose code it is; only a fork's is not our own."""
        return Trust.STRANGER if isinstance(self.line, PullLine) else Trust.OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What one deployment cost on the wire to the platform."""

    files_total: int
    files_sent: int
    bytes_sent: int  # request bodies as sent, manifest included


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One attempt to put one commit live; everything the pipeline and the pages know of it."""

    id: DeploymentId
    preview: Preview
    generation: Generation
    head: CommitSha
    state: DeploymentState
    created_at: datetime
    superseded_by: CommitSha | None = None
    withdrawn_because: str = ""  # somebody cancelled it; "" when nobody did
    # The head for whose sake nothing is deployed, because somebody rolled back to `head` instead.
    instead_of: CommitSha | None = None
    # The `Target.name` of where it runs, from when it begins. None: not begun, or begun before
    # there were several targets, on the usual one.
    target: str | None = None
    target_id: TargetDeploymentId | None = None
    url: str | None = None  # stable
    deployment_url: str | None = None  # immutable
    transfer: Transfer | None = None
    # What it is made of: another one with the same would be the same. None: not known.
    reuse_key: str | None = None
    title: str = ""
    finished_at: datetime | None = None

    def moved_to(self, state: DeploymentState) -> "Deployment":
        """Return this deployment in `state`.

        Raises:
            IllegalTransition: the table has no arrow from here to there.

        """
        if state not in _MOVES[self.state]:
            raise IllegalTransition(str(self.state), str(state))
        return replace(self, state=state)

    @property
    def is_over(self) -> bool:
        """Tell whether the state is final."""
        return self.state not in UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a preview's visitors, up to `until`."""

    last_at: datetime | None  # at the latest; None: nobody came
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One station of one deployment as it went; times are UTC."""

    stage: Stage
    started_at: datetime
    finished_at: datetime | None = None
    detail: str = ""
