"""How an attempt ended, without the secrets that it ran with."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from bot.core.model.outcomes import (
    Annotation,
    Failed,
    Live,
    LogLine,
    Outcome,
    Skipped,
    Superseded,
    TimedOut,
    Withdrawn,
)
from bot.kernel.redact import redact


def without(secrets: Sequence[str], outcome: Outcome) -> Outcome:
    """Return `outcome` with every one of `secrets` replaced in all that people will read."""
    match outcome:
        case Live():
            return replace(outcome, warnings=_remarks(outcome.warnings, secrets))
        case Failed():
            return replace(
                outcome,
                title=redact(outcome.title, secrets),
                explanation=redact(outcome.explanation, secrets),
                log=masked_log(outcome.log, secrets),
                annotations=_remarks(outcome.annotations, secrets),
            )
        case TimedOut():
            return replace(outcome, log=masked_log(outcome.log, secrets))
        case Skipped() | Superseded() | Withdrawn():
            return outcome  # decided before anything ran
        case _:
            assert_never(outcome)


def masked_log(lines: Iterable[LogLine], secrets: Sequence[str]) -> tuple[LogLine, ...]:
    """Return the lines of a log with every one of `secrets` replaced."""
    return tuple(replace(line, message=redact(line.message, secrets)) for line in lines)


def _remarks(remarks: Iterable[Annotation], secrets: Sequence[str]) -> tuple[Annotation, ...]:
    return tuple(replace(each, message=redact(each.message, secrets)) for each in remarks)
