"""Disables revisions that nobody visits, and deletes them later.

The collector finds the contents that nothing uses any more.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection

from bot.kernel.clock import Clock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.recorder import Recorder
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.rows import Rows
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.host.wording import days
from bot.subhosting.retention import Candidate, Fate, fates
from bot.subhosting.store import retention
from bot.subhosting.store.app_logs import Level

LOG = logging.getLogger(__name__)

# Changed in one transaction; other writers wait for it.
_AT_ONCE = 200


@dataclass(slots=True)
class Done:
    """What one look changed."""

    disabled: list[Candidate] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    # Those that led to what is deleted.
    hosts: list[str] = field(default_factory=list)
    enabled: list[str] = field(default_factory=list)


class Keeper:
    """Looks now and then at how long revisions have been idle; one look at a time."""

    def __init__(
        self,
        config: SubhostingConfig,
        clock: Clock,
        rows: Rows,
        recorder: Recorder,
        *,
        routing: RoutingTable,
        supervisor: Supervisor,
    ) -> None:
        """Look for the first time at the first call."""
        self._limits = config.retention
        self._every = config.collect_every
        self._clock = clock
        self._rows = rows
        self._recorder = recorder
        self._routing = routing
        self._supervisor = supervisor
        self._due_s = clock.monotonic_s()
        self._running: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin a look if one is due; returns at once."""
        if self._running is not None and not self._running.done():
            return
        if self._clock.monotonic_s() >= self._due_s:
            self._running = asyncio.create_task(self._look())

    async def close(self) -> None:
        """End a look between two transactions."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _look(self) -> None:
        try:
            now = self._clock.now()
            before = now - min(self._limits.disable_after, self._limits.delete_after)
            found = await self._rows.read(lambda c: retention.candidates(c, before))
            chosen = list(fates(found, now, self._limits).items())
            for start in range(0, len(chosen), _AT_ONCE):
                part = chosen[start : start + _AT_ONCE]
                done = await self._rows.write(partial(carry_out, chosen=part, now=now))
                await self._follow(done)
        except Exception:
            # The boundary of a job: the next look tries again.
            LOG.exception("retention_failed")
        self._due_s = self._clock.monotonic_s() + self._every.total_seconds()

    async def _follow(self, done: Done) -> None:
        """Make true what the database says."""
        if done.hosts:
            await self._routing.refresh(done.hosts)
        for deployment_id in done.deleted:
            LOG.info("revision_deleted id=%s", deployment_id)
            await self._supervisor.forget(deployment_id)
        for each in done.disabled:
            LOG.info("revision_disabled id=%s used_at=%s", each.id, each.used_at.isoformat())
            await self._supervisor.retire(each.id)
            said = (
                f"The revision was disabled: nobody visited it for"
                f" {days(self._limits.disable_after)}. It is deleted after"
                f" {days(self._limits.delete_after)} unless it is enabled again"
            )
            self._recorder.say(each.id, each.project_id, Level.WARNING, said)
        for deployment_id in done.enabled:
            LOG.info("revision_enabled id=%s", deployment_id)


def carry_out(connection: Connection, chosen: list[tuple[Candidate, Fate]], now: datetime) -> Done:
    """Change the rows of those that are still as they were seen."""
    done = Done()
    # Somebody may have bound a host since.
    used = retention.in_use(connection, [each.id for each, _ in chosen])
    for each, fate in chosen:
        match fate:
            case Fate.ENABLE:
                if retention.enable(connection, each.id, now):
                    done.enabled.append(each.id)
            case Fate.DISABLE:
                if each.id not in used and retention.disable(connection, each, now):
                    done.disabled.append(each)
            case Fate.DELETE:
                hosts = retention.hosts_of(connection, each.id)
                if each.id not in used and retention.delete(connection, each):
                    done.deleted.append(each.id)
                    done.hosts += hosts
    return done
