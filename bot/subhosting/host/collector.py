"""Deletes contents that no deployment uses, now and then, beside everything else."""

import asyncio
import logging

from bot.kernel.clock import Clock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.store import garbage, incoming
from bot.subhosting.store.blobs import BlobStore
from bot.subhosting.store.engine import Database
from bot.subhosting.store.garbage import Collected

LOG = logging.getLogger(__name__)


class Collector:
    """Runs one collection at a time, in a thread: it reads folders and waits for disks."""

    def __init__(self, config: SubhostingConfig, clock: Clock) -> None:
        """Collect for the first time at the first look."""
        self._config = config
        self._clock = clock
        self._database = Database(config.database)
        self._blobs = BlobStore(config.blobs_dir)
        self._due_s = clock.monotonic_s()
        self._running: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin a collection if one is due; returns at once."""
        if self._running is not None and not self._running.done():
            return
        if self._clock.monotonic_s() >= self._due_s:
            self._running = asyncio.create_task(self._collect())

    async def close(self) -> None:
        """Wait for a collection that runs: it is in the middle of a transaction, and short."""
        if self._running is not None:
            await asyncio.wait({self._running})
        self._database.close()

    async def _collect(self) -> None:
        try:
            done = await asyncio.to_thread(self._collected)
        except Exception:
            # The boundary of a job: the next one tries again.
            LOG.exception("collection_failed")
        else:
            if done != Collected():
                LOG.info("contents_collected %s", done)
        self._due_s = self._clock.monotonic_s() + self._config.collect_every.total_seconds()

    def _collected(self) -> Collected:
        incoming.delete_abandoned(self._blobs, self._clock.now())
        return garbage.collect(
            self._database, self._blobs, self._clock, older_than=self._config.blob_grace
        )
