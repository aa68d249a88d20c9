"""A check made from what was written down about an attempt: for one that was left open."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from bot.core.model.checks import Check
from bot.core.model.ids import CommitSha
from bot.core.model.outcomes import (
    NOT_VERIFIED,
    Failed,
    Live,
    LogLine,
    Outcome,
    Skipped,
    Superseded,
    TimedOut,
    Withdrawn,
)
from bot.core.model.preview import Deployment, DeploymentState, Stage, StageRecord, Transfer
from bot.core.render import approvals, checks

_NO_REASON = "it was cancelled"
_NOTHING_SENT = Transfer(files_total=0, files_sent=0, bytes_sent=0)


def from_record(
    deployment: Deployment,
    *,
    page_url: str | None,
    stages: Sequence[StageRecord] = (),
    log: Sequence[LogLine] = (),
    pull_urls: tuple[str, ...] = (),
    reused: CommitSha | None = None,
) -> Check | None:
    """Return the check of an attempt that is over, or waits for an approval, None on its way.

    What is not written down, such as warnings at lines, it lacks. `pull_urls` and `reused` are as
    in `Live`.
    """
    if deployment.state is DeploymentState.WAITING:
        return approvals.waiting(deployment, page_url=page_url)
    outcome = _outcome(deployment, tuple(log))
    if outcome is None:
        return None
    if isinstance(outcome, Live):
        outcome = replace(
            outcome, pull_urls=pull_urls, reused=reused, verified=_is_verified(stages)
        )
    # The first one was written before its own writing had an end.
    shown = [each for each in stages if each.stage is not Stage.REPORT]
    check = checks.concluded(deployment, outcome, page_url=page_url, stages=shown)
    return replace(check, title=deployment.title or check.title)


def _outcome(deployment: Deployment, log: tuple[LogLine, ...]) -> Outcome | None:
    match deployment.state:
        case DeploymentState.WAITING | DeploymentState.QUEUED | DeploymentState.DEPLOYING:
            return None
        case DeploymentState.LIVE:
            return Live(
                url=deployment.url,
                deployment_url=deployment.deployment_url or deployment.url or "",
                transfer=deployment.transfer or _NOTHING_SENT,
                verified=True,
            )
        case DeploymentState.FAILED:
            return Failed(
                title=deployment.title,
                explanation=deployment.title,
                log=log,
                transfer=deployment.transfer,
            )
        case DeploymentState.SKIPPED:
            # The rule's code is not written down, its words are.
            return Skipped(code="rule", because=deployment.title.removeprefix("Skipped: "))
        case DeploymentState.SUPERSEDED:
            newer = deployment.superseded_by
            because = deployment.withdrawn_because or deployment.preview.buried_because
            withdrawn = Withdrawn(because=because or _NO_REASON)
            return withdrawn if newer is None else Superseded(by=newer)
        case DeploymentState.TIMED_OUT:
            return TimedOut(waited_s=_waited_s(deployment), log=log)
        case _:
            assert_never(deployment.state)


def _is_verified(stages: Sequence[StageRecord]) -> bool:
    return not any(each.stage is Stage.BIND and each.detail == NOT_VERIFIED for each in stages)


def _waited_s(deployment: Deployment) -> int:
    end = deployment.finished_at or deployment.created_at
    return round((end - deployment.created_at).total_seconds())
