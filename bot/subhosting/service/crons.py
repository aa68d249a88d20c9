"""Crons as the APIs tell of them: what is registered, when it comes next, how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.subhosting.cron_schedule import NotASchedule, Schedule
from bot.subhosting.service.services import Services
from bot.subhosting.store import crons as rows
from bot.subhosting.store.crons import CronRecord, RunRecord

# Of each deployment; older ones are in the app's own log.
_SHOWN_RUNS = 100


@dataclass(frozen=True, slots=True)
class CronView:
    """A cron, its newest runs first; `next_at` is None when it is not in force."""

    cron: CronRecord
    next_at: datetime | None
    runs: Sequence[RunRecord]


def of_deployment(services: Services, deployment_id: str) -> list[CronView]:
    """Return the crons of a deployment by name and context."""
    with services.database.reading() as connection:
        found = rows.of_deployment(connection, deployment_id)
        in_force = set(rows.in_force(connection)) if found else set()
        runs = rows.runs_of(connection, deployment_id, _SHOWN_RUNS) if found else []
    now = services.clock.now()
    return [
        CronView(
            each,
            _next(each, now) if each in in_force else None,
            [run for run in runs if (run.instance, run.name) == (each.instance, each.name)],
        )
        for each in found
    ]


def _next(cron: CronRecord, now: datetime) -> datetime | None:
    try:
        return Schedule(cron.schedule).next_after(now)
    except NotASchedule:
        return None
