"""Conclude the check and the record. Afterwards the attempt is over, whatever it was."""

from dataclasses import replace
from typing import assert_never

import structlog

from bot.core.model.errors import BotError, ForgeError
from bot.core.model.outcomes import Failed, Live, LogLine, Outcome, Superseded, TimedOut
from bot.core.model.preview import DeploymentState, Stage
from bot.core.render import checks
from bot.core.render.masking import masked_log, without
from bot.pipeline.announce import publish
from bot.pipeline.attempt import Attempt
from bot.pipeline.environment import secrets_of
from bot.pipeline.patience import patiently

log = structlog.get_logger()


def report(attempt: Attempt, outcome: Outcome) -> None:
    """Write the outcome on the commit, then into the store.

    The store comes last: a deployment that is over there has been reported, so a crash in between
    only means that the same conclusion is published again.
    """
    services = attempt.services
    with attempt.stage(Stage.REPORT) as note:
        secrets = secrets_of(attempt.now().preview, services)
        outcome = without(secrets, outcome)
        lines = masked_log(_build_log(attempt, outcome), secrets)
        services.store.save_log(attempt.key, lines)
        deployment = attempt.now()
        check = checks.concluded(
            deployment,
            outcome,
            page_url=services.page_url(deployment.id),
            stages=services.store.stages(attempt.key),
            selection=attempt.selection,
        )
        try:
            patiently(attempt.journal, lambda: publish(check, deployment, services))
        except ForgeError as error:
            # The record below stays the truth; whoever compares it with the forge can mend it.
            log.exception("conclusion_not_published", problem=str(error))
            note.text = str(error)
    state = _state(outcome)
    services.store.save(
        replace(
            attempt.now().moved_to(state),
            title=check.title,
            finished_at=services.clock.now(),
        )
    )
    log.info("deployment_ended", state=str(state), title=check.title)


def _state(outcome: Outcome) -> DeploymentState:
    match outcome:
        case Live():
            return DeploymentState.LIVE
        case Failed():
            return DeploymentState.FAILED
        case Superseded():
            return DeploymentState.SUPERSEDED
        case TimedOut():
            return DeploymentState.TIMED_OUT
        case _:
            assert_never(outcome)


def _build_log(attempt: Attempt, outcome: Outcome) -> tuple[LogLine, ...]:
    """Return the log that came with the outcome, or ask the target for that of a good build."""
    match outcome:
        case Failed() | TimedOut():
            return outcome.log
        case Superseded():
            return ()
        case Live():
            target_id = attempt.now().target_id
            if target_id is None:
                return ()
            try:
                return attempt.services.target.build_log(target_id)
            except BotError as error:
                log.warning("build_log_not_read", problem=str(error))
                return ()
        case _:
            assert_never(outcome)
