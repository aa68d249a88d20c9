"""Intents -> effects, one exhaustive match."""

from dataclasses import replace
from typing import assert_never

import structlog

from bot.core.model.commands import Reaction, Said
from bot.core.model.decisions import (
    Answer,
    ApproveCommit,
    AwaitApproval,
    BuryPreviews,
    Decision,
    HidePullRequest,
    Promote,
    RecordPullRequest,
    RecordRepository,
    RollBack,
    ShowCheckAgain,
    ShowPullRequest,
    SkipDeployment,
    StartDeployment,
    WithdrawAttempts,
)
from bot.core.model.errors import ForgeError
from bot.core.model.ids import DeliveryKey
from bot.core.model.outcomes import Withdrawn
from bot.core.model.preview import DeploymentState
from bot.core.model.pulls import Approval
from bot.pipeline.answers import answer
from bot.pipeline.beginning import await_approval, promote, roll_back, skip, start
from bot.pipeline.conclude import conclude
from bot.pipeline.gate import lost_right
from bot.pipeline.patience import patiently
from bot.pipeline.pulls import hide_pull, show_pull
from bot.pipeline.recorded import publish_recorded
from bot.pipeline.surfaces import show_on_pulls
from bot.pipeline.teardown import tear_down
from bot.ports.inbox import QueuedDeployment
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def perform(  # noqa: C901, PLR0912 - an arm for each intent
    decision: Decision, delivery: DeliveryKey, services: Services, journal: Journal
) -> list[QueuedDeployment]:
    """Carry out the intents and return the deployments that are to be enqueued.

    A wish counts as long as whoever has it may have it, so that is asked once more.
    """
    lost = _lost_right(decision, services, journal)
    if lost is not None:
        for intent in decision.intents:
            if isinstance(intent, Answer):
                no = replace(intent, reaction=Reaction.REFUSED, reply=Said(text=lost))
                answer(no, delivery, services, journal)
        return []
    queued: list[QueuedDeployment] = []
    for intent in decision.intents:
        match intent:
            case StartDeployment():
                queued.append(start(intent, delivery, services, journal))
            case RollBack():
                queued.append(roll_back(intent, decision.authority, delivery, services))
            case Promote():
                queued.append(promote(intent, decision.authority, delivery, services))
            case SkipDeployment():
                skip(intent, delivery, services, journal)
            case AwaitApproval():
                await_approval(intent, delivery, services, journal)
            case Answer():
                answer(intent, delivery, services, journal)
            case _:
                _change(intent, services, journal)
    return queued


def _lost_right(decision: Decision, services: Services, journal: Journal) -> str | None:
    authority = decision.authority
    if authority is None:
        return None
    return patiently(journal, lambda: lost_right(authority, services))


def _change(  # noqa: C901 - an arm for each intent
    intent: BuryPreviews
    | ApproveCommit
    | WithdrawAttempts
    | ShowCheckAgain
    | RecordRepository
    | RecordPullRequest
    | ShowPullRequest
    | HidePullRequest,
    services: Services,
    journal: Journal,
) -> None:
    """Carry out what starts nothing."""
    match intent:
        case BuryPreviews():
            tear_down(intent, services, journal)
        case ApproveCommit():
            approval = Approval(commit=intent.commit, by=intent.by, at=services.clock.now())
            services.pulls.approve(intent.repository.id, intent.pull, approval)
        case WithdrawAttempts():
            _withdraw(intent, services, journal)
        case ShowCheckAgain():
            _show_again(intent, services, journal)
        case RecordRepository():
            services.store.rename(intent.repository)
        case RecordPullRequest():
            services.pulls.record(intent.repository.id, intent.pull)
        case ShowPullRequest():
            show_pull(intent.repository, intent.branch, services, journal)
            show_on_pulls(intent.repository, intent.branch, services, journal)
        case HidePullRequest():
            hide_pull(intent.repository, intent.branch, intent.pull, services, journal)
            show_on_pulls(intent.repository, intent.branch, services, journal)
        case _:
            assert_never(intent)


def _withdraw(intent: WithdrawAttempts, services: Services, journal: Journal) -> None:
    """Give up the unfinished attempts; what runs sees it, the rest is concluded here."""
    given_up = services.store.withdraw(
        intent.repository.id, intent.line, intent.apps, intent.because
    )
    for attempt in given_up:
        if attempt.state is DeploymentState.WAITING:
            conclude(attempt.id, Withdrawn(because=intent.because), services, journal)


def _show_again(intent: ShowCheckAgain, services: Services, journal: Journal) -> None:
    """Write a check as its record has it: whoever asks for it again waits for an end."""
    deployment = services.store.deployment(intent.deployment)
    try:
        patiently(journal, lambda: publish_recorded(deployment, services))
    except ForgeError as error:
        log.warning("check_not_published", deployment=deployment.id, problem=str(error))
