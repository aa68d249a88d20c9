"""Builds: from a pending deployment to one that serves, or to the reason why it does not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bot.subhosting.build.materialise import ContentLost
from bot.subhosting.build.packages import NOT_CACHED, needs_packages
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.installer import install
from bot.subhosting.host.instance import Boot, Serving
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.rows import Rows, Work
from bot.subhosting.host.supervisor import Supervisor, said_of
from bot.subhosting.store.records import BindingRecord, Status

LOG = logging.getLogger(__name__)

# Lines of a build that goes on are stored together this often; a build that is faster stores all
# of them in the one transaction of its end.
_FLUSH_EVERY_S = 0.2

# A build log beyond this is an accident, and somebody has to read it.
MAX_LINES = 5_000


@dataclass(eq=False, slots=True)
class _Build:
    """A build under way: its unsaved lines, and who waits for news."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def say(self, level: str, message: str) -> None:
        """Add a line to the build log."""
        self.count += 1
        if self.count < MAX_LINES:
            self.lines.append((level, message))
        elif self.count == MAX_LINES:
            self.lines.append(("warning", f"lines dropped: more than {MAX_LINES}"))

    def take_lines(self) -> list[tuple[str, str]]:
        """Return the lines that are not stored yet, and forget them."""
        taken, self.lines = self.lines, []
        return taken

    def announce(self) -> None:
        """Wake those who wait; what comes next makes news of its own."""
        self.news.set()
        self.news = asyncio.Event()


class Builder:
    """Builds deployments, a few at a time."""

    def __init__(
        self, config: SubhostingConfig, rows: Rows, supervisor: Supervisor, routing: RoutingTable
    ) -> None:
        """Begin idle."""
        self._config = config
        self._rows = rows
        self._supervisor = supervisor
        self._routing = routing
        self._places = asyncio.Semaphore(config.concurrent_builds)
        self._builds: dict[str, _Build] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def submit(self, deployment_id: str, *, resumed: bool = False) -> None:
        """Build a deployment if it is pending and not being built; anything else is harmless."""
        if deployment_id not in self._tasks:
            self._builds[deployment_id] = _Build()
            task = asyncio.create_task(self._run(deployment_id, resumed=resumed))
            self._tasks[deployment_id] = task

    async def changes(self, deployment_id: str) -> AsyncIterator[None]:
        """Yield whenever the stored log grew, and end when the build has ended."""
        if (build := self._builds.get(deployment_id)) is None:
            return
        news = build.news
        while not build.ended:
            await news.wait()
            # Taken before the yield, so that news that come during it are not missed.
            news = build.news
            yield

    async def cancel(self, deployment_id: str) -> None:
        """Stop a build whose deployment is gone."""
        if (task := self._tasks.get(deployment_id)) is not None:
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        """Stop all builds; they are still pending and begin again with the next host."""
        for deployment_id in list(self._tasks):
            await self.cancel(deployment_id)

    async def _run(self, deployment_id: str, *, resumed: bool) -> None:
        build = self._builds[deployment_id]
        flusher = asyncio.create_task(self._flush(deployment_id, build))
        try:
            async with self._places:
                work = await self._rows.work(deployment_id)
                if work is None or work.deployment.status is not Status.PENDING:
                    return
                if resumed:
                    await self._rows.restart_log(deployment_id)
                await self._build(work, build)
        except Exception:
            # The boundary of a job. It stays pending, and the next scan tries again.
            LOG.exception("build_broke deployment=%s", deployment_id)
        finally:
            flusher.cancel()
            build.ended = True
            build.announce()
            del self._builds[deployment_id], self._tasks[deployment_id]

    async def _build(self, work: Work, build: _Build) -> None:
        try:
            boot = await self._attempt(work, build)
        except ContentLost as error:
            build.say("error", str(error))
            boot = None
        except OSError as error:
            # A full disk, no more processes: trying for ever would help nobody.
            LOG.exception("build_failed deployment=%s", work.deployment.id)
            build.say("error", f"The server could not build it: {error.strerror}")
            boot = None
        status = Status.SUCCESS if isinstance(boot, Serving) else Status.FAILED
        routes = self._routes(work) if status is Status.SUCCESS else []
        # Whoever reads `success` in the next millisecond finds the host routed: before the
        # commit, and once more after it, in case a full refresh came in between.
        self._routing.put(routes)
        if await self._rows.finish(work.deployment, status, build.take_lines()):
            self._routing.put(routes)
        else:
            await self._routing.refresh(work.deployment.domains)
            await self._supervisor.forget(work.deployment.id)

    async def _attempt(self, work: Work, build: _Build) -> Boot | None:
        files = len(work.manifest.files) + len(work.manifest.links)
        sandbox = await self._supervisor.prepare(work)
        build.say("info", f"Assembled {files} file{'' if files == 1 else 's'}")
        installed = needs_packages(sandbox.source, sandbox.entry_point)
        if installed and not await self._install(work, build):
            return None
        boot, uncached = await self._boot(work, build)
        if uncached and not installed:
            # An import deeper in the graph than our quick look went.
            if not await self._install(work, build):
                return None
            boot, _ = await self._boot(work, build)
        return boot

    async def _boot(self, work: Work, build: _Build) -> tuple[Boot, bool]:
        """Start it once; the second value says that packages were missing."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        boot, log = await self._supervisor.boot(work, build.say)
        if isinstance(boot, Serving):
            build.say("info", f"Serving after {(loop.time() - began) * 1000:.0f} ms")
            return boot, False
        reason = said_of(boot, self._config)
        build.say("error", reason[0].upper() + reason[1:])
        return boot, any(NOT_CACHED in message for _, message in log.ring)

    async def _install(self, work: Work, build: _Build) -> bool:
        build.say("info", "Installing packages")
        sandbox = await self._supervisor.prepare(work)
        problem = await install(self._config, sandbox, self._supervisor.launcher, build.say)
        if problem is not None:
            build.say("error", problem)
        return problem is None

    async def _flush(self, deployment_id: str, build: _Build) -> None:
        while True:
            await asyncio.sleep(_FLUSH_EVERY_S)
            if lines := build.take_lines():
                await asyncio.shield(self._rows.append_log(deployment_id, lines))
                build.announce()

    def _routes(self, work: Work) -> list[BindingRecord]:
        return [
            BindingRecord(
                host=host,
                deployment_id=work.deployment.id,
                revision=None,
                request_timeout=work.deployment.request_timeout,
            )
            for host in work.deployment.domains
        ]
