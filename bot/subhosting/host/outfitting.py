"""Makes instances ready to be started: what the host itself gives to a Deno process."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

from bot.kernel.clock import Clock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host import cron_link
from bot.subhosting.host.app_log import AppLog
from bot.subhosting.host.cron_link import CronLink, Registered
from bot.subhosting.host.inside import Inside
from bot.subhosting.host.instance import Instance
from bot.subhosting.host.log_receiver import LogReceiver
from bot.subhosting.host.recorder import Recorder
from bot.subhosting.host.rows import Rows, Work
from bot.subhosting.host.wording import shown_paths
from bot.subhosting.sandbox.argv import Sandbox
from bot.subhosting.store import crons
from bot.subhosting.store.crons import CronRecord
from bot.subhosting.store.records import InstanceKey

# An app that serves has said what its modules say; the wire of crons may be a moment behind.
_CRONS_SHOW_WITHIN_S = 0.1


async def broken_rule(work: Work, instance: Instance) -> str | None:
    """Return in a sentence what a serving instance does although its deployment rules it out."""
    if (work.deployment.config or {}).get("crons") is not False or instance.crons is None:
        return None
    if not await instance.crons.knows_any(_CRONS_SHOW_WITHIN_S):
        return None
    names = ", ".join(sorted(instance.crons.crons))
    return f"it registers crons ({names}), and config.crons is false"


class Outfitter:
    """Gives an instance its log, its meter and its crons."""

    def __init__(
        self,
        config: SubhostingConfig,
        rows: Rows,
        clock: Clock,
        recorder: Recorder,
        inside: Inside,
    ) -> None:
        """Open nothing before the first instance needs it.

        What instances connect to is offered `inside` as well, for those with their own network.
        """
        self._inside = inside
        self._runtime = config.runtime
        self._rows = rows
        self._clock = clock
        self._recorder = recorder
        self._log_receiver = LogReceiver(clock, config.runtime.log_lines_per_s)
        self._storing: set[asyncio.Task[None]] = set()

    async def instance(
        self, work: Work, key: InstanceKey, sandbox: Sandbox, log_file: Path
    ) -> Instance:
        """Return an instance of a deployment that can be started."""
        deployment = work.deployment
        # Deno announces where it listens; that is our business and not the app's.
        log = AppLog(
            log_file,
            clock=self._clock,
            bytes_per_s=self._runtime.log_bytes_per_s,
            file_bytes=self._runtime.log_file_bytes,
            shown=shown_paths(sandbox),
            sink=self._recorder.sink(deployment),
        )
        if export := await self._log_receiver.expect(log):
            self._inside.offer(None, export.port, self._log_receiver.attach)
            sandbox = replace(
                sandbox,
                platform={**sandbox.platform, **export.environment},
                loopback_ports=(*sandbox.loopback_ports, export.port),
            )
        link, sandbox = await self._cron_link(key, sandbox)
        meter = self._recorder.meter(deployment.id)
        return Instance(
            deployment.id, sandbox, log, self._clock, meter, context=key.context, crons=link
        )

    async def close(self) -> None:
        """Close what was opened, after all instances have ended."""
        self._log_receiver.close()
        if self._storing:
            await asyncio.wait(self._storing)

    async def _cron_link(self, key: InstanceKey, sandbox: Sandbox) -> tuple[CronLink, Sandbox]:
        """Return the wire of a process's crons, and the sandbox that knows where it is."""
        link = CronLink(lambda cron: self._registered(key, cron))
        path = sandbox.socket.parent / "c"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        await link.listen(path)
        variables = {**sandbox.platform, cron_link.VARIABLE: f"unix:{path}"}
        return link, replace(sandbox, platform=variables, sockets=(*sandbox.sockets, path))

    def _registered(self, key: InstanceKey, cron: Registered) -> None:
        record = CronRecord(
            instance=key, name=cron.name, schedule=cron.schedule, backoff_ms=cron.backoff_ms
        )
        now = self._clock.now()
        self._store(self._rows.write(lambda connection: crons.register(connection, record, now)))

    def _store(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)
