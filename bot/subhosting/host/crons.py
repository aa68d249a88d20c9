"""Runs the crons of apps when they are due, whether the app runs at that moment or rests.

What Deno promises (https://docs.deno.com/runtime/fundamentals/cron/): times are UTC; a run that is
due while the one before goes on is left out; a run that failed is repeated only by the backoff
schedule that the app gave. What was due while no host ran is not made up for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Self

from bot.kernel.clock import Clock
from bot.subhosting.build.site import Site
from bot.subhosting.cron_schedule import NotASchedule, Schedule
from bot.subhosting.host.cron_probe import crons_work
from bot.subhosting.host.instance import Instance
from bot.subhosting.host.live import NoInstance
from bot.subhosting.host.rows import Rows
from bot.subhosting.store import crons
from bot.subhosting.store.crons import CronRecord
from bot.subhosting.store.records import InstanceKey

LOG = logging.getLogger(__name__)

_MINUTE = timedelta(minutes=1)
# The clock is asked so often whether a minute began; that is all while nothing is due.
_LOOK_EVERY_S = 1.0
# A minute that we are late for by more is left out: the machine slept, or the clock was set.
_LATE = timedelta(minutes=1)

# Registering is the first thing that an app does.
_REGISTERED_WITHIN_S = 5.0
# Longer than any backoff of Deno's; the instance is kept from its rest meanwhile.
_LONGEST_RUN = timedelta(hours=1)

# As long as the apps' logs.
_RUNS_KEPT = timedelta(weeks=2)

_STOPPED = "the server stopped while it ran"

Wake = Callable[[InstanceKey], Awaitable[Instance | Site | NoInstance]]


class Crons:
    """Knows which minute was the last, and which runs go on."""

    def __init__(self, deno: Path, rows: Rows, clock: Clock, wake: Wake) -> None:
        """Begin with the minute that comes next."""
        self._deno = deno
        self._rows = rows
        self._clock = clock
        self._wake = wake
        self._ticked = _minute_of(clock.now())
        self._running: set[tuple[InstanceKey, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Look at the clock for the length of the block."""
        self._looking = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Begin no more runs, and give up those that go on."""
        tasks = {*self._tasks, *([self._looking] if self._looking is not None else [])}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """Begin what became due since the last look."""
        minute = _minute_of(self._clock.now())
        if minute < self._ticked - _LATE:
            self._ticked = minute  # the clock was set back; it must not stop the crons
        while self._ticked < minute:
            self._ticked = max(self._ticked + _MINUTE, minute - _LATE)
            await self.tick(self._ticked)

    async def tick(self, due_at: datetime) -> None:
        """Begin what is due in one minute; harmless when called twice for it."""
        for cron in await self._rows.read(crons.in_force):
            if not _is_due(cron.schedule, due_at):
                continue
            name = (cron.instance, cron.name)
            if name in self._running:
                LOG.warning("cron_left_out deployment=%s name=%s", *name)
                continue
            self._running.add(name)
            task = asyncio.create_task(self._run(cron, due_at))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _keep_looking(self) -> None:
        housekeeping = None
        while True:
            try:
                if housekeeping is None:
                    await self._take_over()
                await self.look()
                if housekeeping != (day := self._clock.now().date()):
                    await self._prune()
                    housekeeping = day
            except Exception:
                # The boundary of a job; the next minute is another one.
                LOG.exception("crons_not_looked_at")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _take_over(self) -> None:
        """End what an earlier host left running, and say so if no cron can run here."""
        now = self._clock.now()
        await self._rows.write(lambda connection: crons.end_lost(connection, now, _STOPPED))
        if not await crons_work(self._deno):
            LOG.error("crons_do_not_run: %s has no socket for them; use Deno 2.9", self._deno)

    async def _prune(self) -> None:
        before = self._clock.now() - _RUNS_KEPT
        await self._rows.write(lambda connection: crons.prune(connection, before))

    async def _run(self, cron: CronRecord, due_at: datetime) -> None:
        try:
            now = self._clock.now()
            run_id = await self._rows.write(lambda c: crons.begin(c, cron, due_at, now))
            if run_id is not None:
                await self._attempts(cron, run_id)
        except Exception:
            # The boundary of a job; what is known of it is in the store.
            LOG.exception("cron_broke deployment=%s name=%s", cron.instance, cron.name)
        finally:
            self._running.discard((cron.instance, cron.name))

    async def _attempts(self, cron: CronRecord, run_id: int) -> None:
        """Run it until it succeeds or its backoff schedule is used up."""
        attempts, problem = 0, None
        try:
            for pause_ms in (0, *cron.backoff_ms):
                await asyncio.sleep(pause_ms / 1000)
                attempts += 1
                problem = await self._attempt(cron)
                if problem is None:
                    break
        except BaseException:
            problem = _STOPPED
            raise
        finally:
            await asyncio.shield(self._ended(run_id, attempts, problem))
        LOG.info("cron_ran deployment=%s name=%s problem=%s", cron.instance, cron.name, problem)

    async def _ended(self, run_id: int, attempts: int, problem: str | None) -> None:
        now, success = self._clock.now(), problem is None
        await self._rows.write(
            lambda connection: crons.end(
                connection, run_id, now, attempts=attempts, success=success, message=problem
            )
        )

    async def _attempt(self, cron: CronRecord) -> str | None:
        """Run it once; return what went wrong."""
        instance = await self._wake(cron.instance)
        if isinstance(instance, NoInstance):
            return f"the app does not run: {instance.reason}"
        if isinstance(instance, Site):
            return "the app is a static site now"
        # As a request it keeps the instance from its rest, and from being stopped too early.
        with instance.serving_a_request():
            link = instance.crons
            if link is None or not await link.knows(cron.name, _REGISTERED_WITHIN_S):
                await self._rows.write(lambda connection: crons.forget(connection, cron))
                return "the app registers no cron of this name any more"
            try:
                async with asyncio.timeout(_LONGEST_RUN.total_seconds()):
                    succeeded = await link.invoke(cron.name)
            except TimeoutError:
                return f"it ran for longer than {_LONGEST_RUN}"
        return None if succeeded else "the handler failed; the app's log says why"


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Schedule | None:
    try:
        return Schedule(text)
    except NotASchedule:
        LOG.warning("cron_schedule_unknown text=%.100r", text)
        return None


def _is_due(text: str, minute: datetime) -> bool:
    schedule = _parsed(text)
    return schedule is not None and schedule.contains(minute)


def _minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
