"""What the worker does now and then, beside deliveries: each job in a thread of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread

import structlog

from bot.adapters.git.source import GitSource
from bot.core.model.errors import ForgeError
from bot.kernel.clock import Clock
from bot.pipeline.catch_up import repeat_missed
from bot.pipeline.expire import expire
from bot.pipeline.reconcile import reconcile
from bot.pipeline.rounds import Rounds
from bot.pipeline.stale import compare_surfaces, conclude_stale
from bot.ports.grants import Grants
from bot.ports.hooks import Hooks
from bot.ports.inbox import Inbox
from bot.ports.services import Services

# Off the road of pushes: 20 packs gather in a busy hour, and an hour is longer than any attempt.
TEND_EVERY = timedelta(hours=1)
SPARED = timedelta(hours=1)

# The receiver starts beside us, and what is asked for again must find it.
SWEEP_FIRST = timedelta(seconds=3)

# The first failed intake is repeated after a minute; to look costs one query of an index.
REPEAT_EVERY = timedelta(seconds=20)

# How long GitHub remembers: 3 days on github.com, 7 on GitHub Enterprise Server.
# https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
REMEMBERED = timedelta(days=7)

# Attempts of the last sweep's hour are looked at again: how often one was tried counts.
OVERLAP = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do at intervals."""

    name: str
    first_after: timedelta
    every: timedelta
    do: Callable[[], None]


def keep_doing(jobs: Sequence[Job], clock: Clock) -> None:
    """Start a daemon for each job; they end with the process."""
    for job in jobs:
        Thread(target=_keep_doing, args=(job, clock), name=job.name, daemon=True).start()


def _keep_doing(job: Job, clock: Clock) -> None:
    clock.sleep(job.first_after)
    while True:
        try:
            job.do()
        except Exception:
            # The boundary of a job: that it failed now is no reason never to try again.
            log.exception("job_failed", job=job.name)
        clock.sleep(job.every)


def tending(source: GitSource, clock: Clock, *, quota_mb: int) -> Job:
    """Return the job that looks after the mirrors of git repositories."""

    def tend() -> None:
        done = source.tend(
            quota_bytes=quota_mb * 1024 * 1024,
            spared_since_s=(clock.now() - SPARED).timestamp(),
        )
        log.info(
            "mirrors_tended",
            swept=len(done.swept),
            repacked=len(done.repacked),
            evicted=len(done.evicted),
        )

    return Job(name="tend", first_after=TEND_EVERY, every=TEND_EVERY, do=tend)


def sweeping(
    services: Services,
    inbox: Inbox,
    hooks: Hooks | None,
    grants: Grants | None,
    *,
    every: timedelta,
) -> Job:
    """Return the job that makes up for what was missed, and repairs what differs."""
    sweep = _Sweep(services, inbox, hooks, Rounds(grants))
    return Job(name="sweep", first_after=SWEEP_FIRST, every=every, do=sweep.run)


def repeating(inbox: Inbox, clock: Clock, *, every: timedelta) -> Job:
    """Return the job that repeats the intakes which were put off, where the sweep is no rarer."""

    def repeat() -> None:
        repeated = inbox.repeat_due(clock.now())
        if repeated:
            log.info("intakes_repeated", deliveries=repeated)

    often = min(REPEAT_EVERY, every)
    return Job(name="repeat", first_after=often, every=often, do=repeat)


class _Sweep:
    """Remembers how far back the deliveries were looked at, and how far the rounds have come."""

    def __init__(
        self, services: Services, inbox: Inbox, hooks: Hooks | None, rounds: Rounds
    ) -> None:
        self._services = services
        self._inbox = inbox
        self._hooks = hooks
        self._rounds = rounds
        self._looked_at: datetime | None = None

    def run(self) -> None:
        """Look at everything once; what cannot be asked now is asked the next time."""
        self._catch_up()
        found = reconcile(self._services, self._inbox, self._rounds.some())
        ended = expire(self._services, self._inbox)
        concluded = conclude_stale(self._services)
        compare_surfaces(self._services)
        log.info("swept", missed_events=found, expired=ended, stale_checks=concluded)

    def _catch_up(self) -> None:
        if self._hooks is None:
            return
        now = self._services.clock.now()
        since = now - REMEMBERED if self._looked_at is None else self._looked_at - OVERLAP
        try:
            repeated = repeat_missed(self._hooks, self._inbox, since=since)
        except ForgeError as error:
            log.warning("deliveries_not_listed", problem=str(error))
            return
        self._looked_at = now
        if repeated:
            log.info("deliveries_asked_for_again", deliveries=repeated)
