"""Write how an attempt ended on its commit, then into the store."""

from dataclasses import replace
from typing import assert_never

import structlog

from bot.core.model.errors import ForgeError, ForgeUnavailable
from bot.core.model.ids import DeploymentId
from bot.core.model.outcomes import (
    Failed,
    Live,
    Outcome,
    Skipped,
    Superseded,
    TimedOut,
    Withdrawn,
)
from bot.core.model.preview import DeploymentState
from bot.core.render import checks
from bot.pipeline.announce import owe, publish
from bot.pipeline.patience import patiently
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def conclude(
    key: DeploymentId,
    outcome: Outcome,
    services: Services,
    journal: Journal,
) -> str:
    """Conclude check and record; return what kept the forge from taking it, "" when it did.

    The store comes last: a deployment that is over there has been reported, so a crash in between
    only means that the same conclusion is published again.
    """
    deployment = services.store.deployment(key)
    check = checks.concluded(
        deployment,
        outcome,
        page_url=services.page_url(key),
        stages=services.store.stages(key),
        brief=services.store.brief(key),
    )
    problem = ""
    named = outcome.pull_urls if isinstance(outcome, Live) else ()
    try:
        patiently(journal, lambda: publish(check, deployment, services, named))
    except ForgeError as error:
        # The record below stays the truth; whoever compares it with the forge can mend it.
        log.exception("conclusion_not_published", problem=str(error))
        problem = str(error)
        if isinstance(error, ForgeUnavailable):
            owe(deployment, services)
    state = _state(outcome)
    services.store.save(
        replace(
            services.store.deployment(key).moved_to(state),
            title=check.title,
            finished_at=services.clock.now(),
        )
    )
    log.info("deployment_ended", deployment=key, state=str(state), title=check.title)
    return problem


def _state(outcome: Outcome) -> DeploymentState:
    match outcome:
        case Live():
            return DeploymentState.LIVE
        case Failed():
            return DeploymentState.FAILED
        case Skipped():
            return DeploymentState.SKIPPED
        case Superseded() | Withdrawn():
            return DeploymentState.SUPERSEDED
        case TimedOut():
            return DeploymentState.TIMED_OUT
        case _:
            assert_never(outcome)
