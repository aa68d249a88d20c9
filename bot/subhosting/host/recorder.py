"""The host's memory of what it observed: lines of apps and counts, written in batches.

Everything is taken on the event loop and written by a thread of its own, so that a slow or locked
database stops neither the router nor a wake-up. A crash loses what the last batch did not hold.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from bot.kernel.clock import Clock
from bot.subhosting.host import meter
from bot.subhosting.host.app_log import Sink
from bot.subhosting.host.kv_sizes import KvSizes
from bot.subhosting.host.meter import Meter
from bot.subhosting.host.traffic import Tally
from bot.subhosting.host.waiting_lines import MANY, WaitingLines
from bot.subhosting.store import analytics, app_logs, kv_sizes, retention
from bot.subhosting.store.analytics import BUCKET, Owner, bucket_of
from bot.subhosting.store.app_logs import Line
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import DeploymentRecord
from bot.subhosting.store.usage import Usage

LOG = logging.getLogger(__name__)

Result = TypeVar("Result")

# A line is stored this long after it was said, or sooner if there are many.
_LINES_EVERY_S = 0.2
# A batch that the database refuses, and not for being busy, would stop all that come behind it.
_ATTEMPTS = 3

# Deno's own for app logs: "two weeks" in its v1 document (api.deno.com/v1/openapi.json).
LOGS_KEPT = timedelta(weeks=2)
# Ours; nothing is published.
ANALYTICS_KEPT = timedelta(days=90)
_PRUNE_EVERY_S = 3600.0


class Recorder:
    """Takes lines and counts, and stores them now and then."""

    def __init__(
        self, database: Database, clock: Clock, sizes: KvSizes, *, counts_every: timedelta
    ) -> None:
        """Store counts and sizes so often, and lines much sooner."""
        self.tally = Tally()
        self._sizes = sizes
        self._database = database
        self._clock = clock
        self._counts_every = counts_every
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="subhosting-recorder")
        self._lines = WaitingLines(clock.now())
        self._many = asyncio.Event()
        self._refused = 0
        self._running: set[Meter] = set()
        self._counting_since = clock.now()
        self._unsaved: dict[datetime, Tally] = {}
        self._owners: dict[str, Owner] = {}
        self._prune_at_s = clock.monotonic_s()
        self._closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to store; until then everything is kept in memory."""
        self._tasks = [
            asyncio.create_task(self._keep_storing_lines()),
            asyncio.create_task(self._keep_storing_counts()),
        ]

    async def close(self) -> None:
        """Store what is there and end; call it when all instances have ended."""
        self._closing.set()
        self._many.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._lines and await self._store_lines():
            pass
        if self._lines:
            LOG.error("app_log_lines_lost count=%d", len(self._lines))
        await self._store_counts()
        await asyncio.to_thread(self._thread.shutdown)
        self._database.close()

    def sink(self, deployment: DeploymentRecord) -> Sink:
        """Return what takes the lines of a deployment."""
        return partial(self._take, deployment.id, deployment.project_id)

    def say(self, deployment_id: str, project_id: str, level: str, message: str) -> None:
        """Take a line of ours about a deployment of which no process runs."""
        self._take(deployment_id, project_id, self._clock.now(), level, message)

    def _take(
        self, deployment_id: str, project_id: str, time: datetime, level: str, message: str
    ) -> None:
        line = Line(
            deployment_id=deployment_id,
            project_id=project_id,
            time=time,
            level=level,
            message=message,
        )
        self._lines.take(line)
        if len(self._lines) >= MANY:
            self._many.set()

    def meter(self, deployment_id: str) -> Meter:
        """Return what counts the use of one process of this deployment."""
        return Meter(lambda: self.tally.of(deployment_id), self._clock, self._running)

    async def _keep_storing_lines(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._many.wait(), _LINES_EVERY_S)
            self._many.clear()
            if self._lines and not await self._store_lines():
                await asyncio.sleep(_LINES_EVERY_S)

    async def _store_lines(self) -> bool:
        """Store the oldest lines; False if the database did not take them: then they stay."""
        batch = self._lines.batch()
        try:
            await self._run(lambda: self._insert(batch))
        except OperationalError:
            LOG.warning("app_log_waits lines=%d", len(self._lines), exc_info=True)
            return False
        except Exception:
            # The boundary of a job: without it, one bad batch would end the recording.
            LOG.exception("app_log_not_stored lines=%d", len(batch))
            self._refused += 1
            if self._refused < _ATTEMPTS:
                return False
        self._refused = 0
        self._lines.done(len(batch))
        if self._lines.dropped:
            LOG.warning("app_log_lines_dropped count=%d", self._lines.dropped)
            self._lines.dropped = 0
        return True

    def _insert(self, batch: list[Line]) -> None:
        with self._database.writing() as connection:
            app_logs.insert(connection, batch)

    async def _keep_storing_counts(self) -> None:
        while not self._closing.is_set():
            await self._prune()
            # Awake at the end of a bucket, so that nothing of it is counted in the next one.
            now = self._clock.now()
            wait = min(self._counts_every, bucket_of(now) + BUCKET - now)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait.total_seconds())
            await self._store_counts()

    async def _store_counts(self) -> None:
        """Store what was counted since the last time, in the bucket in which that began."""
        try:
            await self._look()
            used = self.tally.take()
            began, self._counting_since = self._counting_since, self._clock.now()
            if used:
                self._unsaved.setdefault(bucket_of(began), Tally()).add(used)
            if self._unsaved:
                unsaved = {bucket: tally.used for bucket, tally in self._unsaved.items()}
                await self._run(lambda: self._add(unsaved))
                self._unsaved = {}
            await self._run(lambda: self._sizes.look(bucket_of(began)))
        except Exception:
            # The boundary of a job; what was counted stays for the next time.
            LOG.exception("analytics_not_stored")

    async def _look(self) -> None:
        """Have all meters count what was used until now."""
        looked_at = [(each, each.pid) for each in self._running if each.pid is not None]
        readings = await asyncio.to_thread(lambda: [meter.read(pid) for _, pid in looked_at])
        for (each, _), reading in zip(looked_at, readings, strict=True):
            if each in self._running:
                each.add(reading)

    def _add(self, unsaved: Mapping[datetime, Mapping[str, Usage]]) -> None:
        seen = {deployment_id for used in unsaved.values() for deployment_id in used}
        with self._database.writing() as connection:
            # Those of the last time are remembered: a deployment may be deleted by now.
            known = {key: owner for key, owner in self._owners.items() if key in seen}
            self._owners = known | analytics.owners(connection, seen - known.keys())
            for bucket, used in unsaved.items():
                owned = {
                    key: (self._owners[key], usage)
                    for key, usage in used.items()
                    if key in self._owners
                }
                analytics.add(connection, bucket, owned)
                if visited := [key for key, (_, usage) in owned.items() if usage.requests]:
                    seen_at = min(bucket + BUCKET, self._clock.now())
                    retention.visited(connection, visited, seen_at)

    async def _prune(self) -> None:
        """Remove what is too old, now and then."""
        if self._clock.monotonic_s() < self._prune_at_s:
            return
        self._prune_at_s = self._clock.monotonic_s() + _PRUNE_EVERY_S
        try:
            while await self._run(self._prune_some) and not self._closing.is_set():
                pass
        except Exception:
            LOG.exception("prune_failed")

    def _prune_some(self) -> bool:
        now = self._clock.now()
        with self._database.writing() as connection:
            analytics.prune(connection, now - ANALYTICS_KEPT)
            kv_sizes.prune(connection, now - ANALYTICS_KEPT)
            return app_logs.prune(connection, now - LOGS_KEPT)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
