"""What was decided about an event: intents, and always a reason with a stable code."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.model.briefs import Brief
from bot.core.model.commands import Authority, Reaction, Reply
from bot.core.model.config import Production
from bot.core.model.ids import (
    AppName,
    Branch,
    CommentId,
    CommitSha,
    DeploymentId,
    Login,
    PullNumber,
    Repository,
)
from bot.core.model.lines import Line
from bot.core.model.outcomes import Failed, Skipped
from bot.core.model.pulls import PullRequest


class Reason(StrEnum):
    """Why a delivery led to what it led to; codes are part of the interface, never renamed."""

    DEPLOY = "deploy"
    BRANCH_DELETED = "branch-deleted"
    REPOSITORY_MOVED = "repository-moved"
    REPOSITORY_GONE = "repository-gone"
    REPOSITORY_PRIVATIZED = "repository-privatized"
    REPOSITORY_REACHED = "repository-reached"
    PREVIEW_EXPIRED = "preview-expired"
    STALE_EVENT = "stale-event"
    PULL_REQUEST_CLOSED = "pull-request-closed"
    PULL_REQUEST_GONE = "pull-request-gone"
    PULL_REQUEST_SHOWN = "pull-request-shown"
    COMMAND = "command"
    COMMAND_MISUNDERSTOOD = "command-misunderstood"
    COMMAND_POINTLESS = "command-pointless"
    CHECK_NOT_OURS = "check-not-ours"
    CHECK_STALE = "check-stale"
    FORK_AWAITS_APPROVAL = "fork-awaits-approval"
    NOT_A_FORK = "not-a-fork"
    OWN_CODE = "own-code"
    RIGHT_MISSING = "right-missing"
    HEAD_MOVED = "head-moved"
    HEAD_NOT_NAMED = "head-not-named"
    STALE_PUSH = "stale-push"
    ALREADY_HANDLED = "already-handled"
    TAG_PUSH = "tag-push"
    PUSH_FOLLOWS = "push-follows"
    NOT_A_PULL_REQUEST = "not-a-pull-request"
    NO_COMMAND = "no-command"
    BY_A_BOT = "by-a-bot"
    PING = "ping"
    EVENT_NOT_HANDLED = "event-not-handled"
    PAYLOAD_NOT_UNDERSTOOD = "payload-not-understood"
    FORGE_REFUSED = "forge-refused"
    INTAKE_FAILED = "intake-failed"
    CONFIGURATION_WRONG = "configuration-wrong"
    FORKS_NOT_DEPLOYED = "forks-not-deployed"
    # Rules of the repository's configuration: see `bot.core.decide.admission`.
    LOCKED = "locked"
    BRANCH_NOT_WANTED = "branch-not-wanted"
    SKIP_LABEL = "skip-label"
    DRAFT = "draft"
    BOT = "bot"
    LABEL_MISSING = "label-missing"
    COMMAND_MISSING = "command-missing"
    MANUAL = "manual"
    SKIP_MARKER = "skip-marker"
    PATHS_UNCHANGED = "paths-unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A delivery that is no event for us, and why."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDeployment:
    """Put `head` live as the newest attempt of the preview of (repository, line, app)."""

    repository: Repository
    line: Line
    app: AppName
    head: CommitSha
    brief: Brief = field(default_factory=Brief)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipDeployment:
    """Show on `head` that it is not deployed, and why; what is live or under way goes on."""

    repository: Repository
    line: Line
    app: AppName
    head: CommitSha
    reason: Reason
    outcome: Skipped | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitApproval:
    """Show on `head`, a commit of strangers, that somebody has to approve it."""

    repository: Repository
    pull: PullNumber
    app: AppName
    head: CommitSha
    brief: Brief = field(default_factory=Brief)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuryPreviews:
    """Remove the previews of a line, in such a way that no running attempt revives them."""

    repository: Repository
    line: Line
    because: str  # a clause in plain text, "the branch is gone"
    apps: tuple[AppName, ...] | None = None  # None: all of them
    # The line goes on: then its check says that the preview was removed, and how to get it back.
    line_goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveCommit:
    """Remember that somebody approved one commit of a stranger."""

    repository: Repository
    pull: PullNumber
    commit: CommitSha
    by: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAttempts:
    """Give up what is not over yet on a line; what is live goes on."""

    repository: Repository
    line: Line
    apps: tuple[AppName, ...]
    because: str  # a clause in plain text, "ada cancelled it"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Let an app's URL serve an earlier deployment, in place of the head.

    On production's line its own domain goes with it, as `production` has it now.
    """

    repository: Repository
    line: Line
    app: AppName
    to: DeploymentId
    head: CommitSha  # of that deployment
    instead_of: CommitSha  # the line's head, for whose sake nothing is deployed again
    by: Login
    production: Production | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """Run the files of a preview's deployment in production, with production's variables."""

    repository: Repository
    app: AppName
    promoted: DeploymentId
    head: CommitSha  # of that deployment
    instead_of: CommitSha  # the default branch's head, which is not deployed for it
    production: Production


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCheckAgain:
    """Write the check of an attempt that is over once more, as its record has it."""

    deployment: DeploymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Tell whoever gave a command what became of it."""

    repository: Repository
    pull: PullNumber | None  # where a reply may be written
    comment: CommentId | None  # None: it was a button
    command: str  # as it was meant, to begin a reply with
    line: Line | None  # what STATUS tells of
    reaction: Reaction
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRepository:
    """Remember a repository's new name, owner or installation."""

    repository: Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPullRequest:
    """Remember a pull request as it stands."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPullRequest:
    """Let a pull request's own URL serve what its branch's does."""

    repository: Repository
    branch: Branch
    pull: PullNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class HidePullRequest:
    """Let a pull request's own URL serve nothing; its branch keeps its preview."""

    repository: Repository
    branch: Branch
    pull: PullNumber


Intent = (
    StartDeployment
    | SkipDeployment
    | AwaitApproval
    | BuryPreviews
    | ApproveCommit
    | WithdrawAttempts
    | RollBack
    | Promote
    | ShowCheckAgain
    | Answer
    | RecordRepository
    | RecordPullRequest
    | ShowPullRequest
    | HidePullRequest
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of intake: a reason for people and machines, and what to do."""

    reason: Reason
    detail: str
    intents: tuple[Intent, ...] = ()
    # Whose wish it is, if anybody's: asked for once more before anything is done.
    authority: Authority | None = None
