"""Conclude the check and the record. Afterwards the attempt is over, whatever it was."""

from typing import assert_never

import structlog

from bot.core.model.errors import BotError
from bot.core.model.outcomes import (
    Failed,
    Live,
    LogLine,
    Outcome,
    Skipped,
    Superseded,
    TimedOut,
    Withdrawn,
)
from bot.core.model.preview import Stage
from bot.core.render.masking import masked_log, without
from bot.pipeline.attempt import Attempt
from bot.pipeline.conclude import conclude
from bot.pipeline.environment import secrets_of

log = structlog.get_logger()


def report(attempt: Attempt, outcome: Outcome) -> None:
    """Keep the build log, and write the outcome on the commit and into the store."""
    services = attempt.services
    with attempt.stage(Stage.REPORT) as note:
        secrets = secrets_of(attempt.now().preview, services)
        outcome = without(secrets, outcome)
        lines = masked_log(_build_log(attempt, outcome), secrets)
        services.store.save_log(attempt.key, lines)
        note.text = conclude(attempt.key, outcome, services, attempt.journal)


def _build_log(attempt: Attempt, outcome: Outcome) -> tuple[LogLine, ...]:
    """Return the log that came with the outcome, or ask the target for that of a good build."""
    match outcome:
        case Failed() | TimedOut():
            return outcome.log
        case Skipped() | Superseded() | Withdrawn():
            return ()
        case Live():
            target_id = attempt.now().target_id
            if target_id is None:
                return ()
            try:
                return attempt.target.build_log(target_id)
            except BotError as error:
                log.warning("build_log_not_read", problem=str(error))
                return ()
        case _:
            assert_never(outcome)
