"""A check as we want it to stand on a commit, whatever forge shows it."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.model.ids import CommitSha, DeploymentId, Repository
from bot.core.model.outcomes import Annotation


class CheckStatus(StrEnum):
    """The statuses an App may set. https://docs.github.com/en/rest/checks/runs."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a completed check ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    ACTION_REQUIRED = "action_required"


class Button(StrEnum):
    """What can be asked for on a check; the value comes back when it is pressed.

    The identifier of `check_run.requested_action`, so never renamed: old checks keep theirs.
    """

    APPROVE = "approve"
    REDEPLOY = "redeploy"
    DESTROY = "destroy"
    RETRY = "retry"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check in one state; `deployment` is its natural key, the forge's `external_id`."""

    deployment: DeploymentId
    repository: Repository
    head: CommitSha
    name: str
    status: CheckStatus
    title: str
    summary: str  # Markdown, already within the forge's limits
    details_url: str | None  # our page; None when there is none to open
    conclusion: Conclusion | None = None  # exactly when completed
    annotations: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()  # at most 3; shown once completed
