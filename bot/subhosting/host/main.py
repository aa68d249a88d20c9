"""The host process: supervisor, builder and router on one event loop."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvloop

from bot.kernel.clock import Clock, SystemClock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.builder import Builder
from bot.subhosting.host.chores import Chores
from bot.subhosting.host.collector import Collector
from bot.subhosting.host.crons import Crons
from bot.subhosting.host.door import open_door
from bot.subhosting.host.kv_sizes import KvSizes
from bot.subhosting.host.messages import Messages
from bot.subhosting.host.protection import let_go, own_ports, protection
from bot.subhosting.host.recorder import Recorder
from bot.subhosting.host.retention import Keeper
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.rows import Rows
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.host_link import control_socket, store_isolation
from bot.subhosting.store.engine import Database

LOG = logging.getLogger(__name__)

# How long a new host waits for an old one of the same data directory to finish draining.
_LOCK_ATTEMPTS = 150
_LOCK_EVERY = timedelta(milliseconds=100)


class AlreadyRunning(Exception):  # noqa: N818 - reads as a sentence in `except`
    """Another host serves this data directory."""


def run(
    config: SubhostingConfig,
    listener: socket.socket,
    ready: Callable[[], None] | None = None,
    clock: Clock | None = None,
) -> None:
    """Serve previews on `listener` until SIGTERM or SIGINT, then drain and stop every instance.

    `listener` is bound and listening; its owner may keep it open, so that visitors who come
    during a restart wait instead of being refused. `ready` is called when requests are routed.
    Call from the main thread of a process of its own, after `bot.subhosting.setup.prepare`.

    Raises:
        AlreadyRunning: another host has had this data directory for 15 s.

    """
    with _only_one(config.data_dir):
        host = _Host(config, clock or SystemClock())
        uvloop.run(host.serve(listener, ready or _nobody_waits))


def _nobody_waits() -> None:
    """Do nothing."""


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data directory's lock, which the kernel releases whatever ends us."""
    descriptor = os.open(data_dir / "host.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        clock = SystemClock()
        for _ in range(_LOCK_ATTEMPTS):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            clock.sleep(_LOCK_EVERY)
        else:
            msg = f"another host process serves {data_dir}; stop it first"
            raise AlreadyRunning(msg)
        yield
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Host:
    config: SubhostingConfig
    clock: Clock

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Run until told to stop."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        rows = Rows(Database(self.config.database), self.clock)
        routing = RoutingTable(rows)
        recorder = self._recorder()
        recorder.start()
        guarded = await protection(self.config, own_ports(self.config, listener))
        store_isolation(self.config.data_dir, guarded.isolation.document())
        supervisor = Supervisor(self.config, rows, self.clock, recorder, guarded)
        builder = Builder(self.config, rows, supervisor, routing, self.clock)
        chores = Chores(self.config, self.clock)
        collector = Collector(self.config, self.clock)
        keeper = Keeper(
            self.config, self.clock, rows, recorder, routing=routing, supervisor=supervisor
        )
        await routing.refresh_all()
        for deployment_id in await rows.pending():
            builder.submit(deployment_id, resumed=True)
        messages = await self._listen(Messages(builder, supervisor, routing, chores))
        door = await open_door(self.config, listener, routing, supervisor, recorder.tally)
        scanning = asyncio.create_task(
            _scan(
                self.config.scan_every,
                rows,
                routing,
                builder,
                supervisor,
                (chores, keeper, collector),
            )
        )
        async with Crons(self.config.deno, rows, self.clock, supervisor.wake):
            ready()
            LOG.info("host_ready data_dir=%s", self.config.data_dir)
            await stop.wait()
        LOG.info("host_draining")
        scanning.cancel()
        messages.close()
        door.shut()
        await builder.close()
        await door.drain()
        await supervisor.close()
        let_go(guarded)
        await asyncio.gather(keeper.close(), collector.close())
        await recorder.close()  # after the last words of the last instance
        await rows.close()

    def _recorder(self) -> Recorder:
        database = Database(self.config.database)
        sizes = KvSizes(database, self.config.kv_file)
        return Recorder(database, self.clock, sizes, counts_every=self.config.analytics_every)

    async def _listen(self, messages: Messages) -> asyncio.Server:
        path = control_socket(self.config.data_dir)
        path.unlink(missing_ok=True)  # left by a host that was killed; the lock is ours
        return await asyncio.start_unix_server(messages.serve, str(path))


async def _scan(
    every: timedelta,
    rows: Rows,
    routing: RoutingTable,
    builder: Builder,
    supervisor: Supervisor,
    beside: tuple[Chores, Keeper, Collector],
) -> None:
    """Find what nobody told us, now and then."""
    while True:
        try:
            await supervisor.sweep()
            await supervisor.refresh_variables()
            supervisor.rest()
            for each in beside:
                each.look()
            await asyncio.sleep(every.total_seconds())
            await routing.refresh_all()
            for deployment_id in await rows.pending():
                builder.submit(deployment_id, resumed=True)
        except Exception:
            LOG.exception("scan_failed")
            await asyncio.sleep(every.total_seconds())
