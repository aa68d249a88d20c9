"""Builds: from a pending deployment to one that serves, or to the reason why it does not."""

import asyncio
import logging
from collections.abc import AsyncIterator

from bot.kernel.clock import Clock
from bot.subhosting.build import tree
from bot.subhosting.build.caches import Caches
from bot.subhosting.build.commands import put_tools
from bot.subhosting.build.materialise import ContentLost
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host import leftovers
from bot.subhosting.host.attempt import Attempt
from bot.subhosting.host.building import Build, BuildStopped
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.rows import Rows, Work
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.store.records import (
    BindingRecord,
    Context,
    DeploymentRecord,
    Ending,
    FailureReason,
    Status,
)

LOG = logging.getLogger(__name__)

# Lines of a build that goes on are stored together this often; a build that is faster stores all
# of them in the one transaction of its end.
_FLUSH_EVERY_S = 0.2


# How long a build that broke on our side rests before it may be tried again.
_BROKEN_REST_S = 5.0


class Builder:
    """Builds deployments, a few at a time."""

    def __init__(
        self,
        config: SubhostingConfig,
        rows: Rows,
        supervisor: Supervisor,
        routing: RoutingTable,
        clock: Clock,
    ) -> None:
        """Begin idle."""
        self._config = config
        self._rows = rows
        self._supervisor = supervisor
        self._routing = routing
        self._clock = clock
        self._places = asyncio.Semaphore(config.concurrent_builds)
        self._builds: dict[str, Build] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._caches = Caches(
            config.caches_dir,
            most_bytes=config.build.caches_bytes,
            most_bytes_of_one=config.build.cache_bytes,
        )
        put_tools(config.tools_dir, config.deno)
        if ended := leftovers.end_all(config.deployments_dir):
            LOG.warning("builds_left_behind pids=%s", ended)

    def submit(self, deployment_id: str, *, resumed: bool = False) -> None:
        """Build a deployment if it is pending and not being built; anything else is harmless."""
        if deployment_id not in self._tasks:
            self._builds[deployment_id] = Build(
                self._clock, room_bytes=self._config.build.log_bytes
            )
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

    def stop(self, deployment_id: str) -> None:
        """End a build that somebody cancelled; it is stored as failed soon after."""
        self.submit(deployment_id)
        build = self._builds[deployment_id]
        # One that has not begun finds the cancellation in the store.
        if build.entered and not build.cancelled:
            build.cancelled = True
            self._tasks[deployment_id].cancel()

    async def close(self) -> None:
        """Stop all builds; they are still pending and begin again with the next host."""
        for deployment_id in list(self._tasks):
            await self.cancel(deployment_id)

    async def _run(self, deployment_id: str, *, resumed: bool) -> None:
        build = self._builds[deployment_id]
        build.entered = True
        try:
            async with self._places:
                await self._from_the_queue(deployment_id, build, resumed=resumed)
        except asyncio.CancelledError:
            if not build.cancelled:
                raise
            # Cancelled while it waited in the queue, or between two steps.
            await self._end_cancelled(deployment_id, build)
        except Exception:
            # The boundary of a job. It stays pending, and the next scan tries again. Meanwhile no
            # instance of it may live on, and whoever asks about it may not start the next attempt:
            # both together once filled a machine with processes.
            LOG.exception("build_broke deployment=%s", deployment_id)
            await self._supervisor.retire(deployment_id)
            await asyncio.sleep(_BROKEN_REST_S)
        finally:
            build.ended = True
            build.announce()
            del self._builds[deployment_id], self._tasks[deployment_id]

    async def _from_the_queue(self, deployment_id: str, build: Build, *, resumed: bool) -> None:
        work = await self._rows.work(deployment_id)
        if work is None or work.deployment.status is not Status.PENDING:
            return
        if work.deployment.cancellation_requested_at is not None:
            await self._end_cancelled(deployment_id, build)
            return
        if resumed:
            await self._rows.restart_log(deployment_id)
        build.start(work.deployment)
        flusher = asyncio.create_task(self._flush(deployment_id, build))
        try:
            ending = await self._outcome(work, build)
        finally:
            flusher.cancel()
        await self._finish(work, build, ending)

    async def _outcome(self, work: Work, build: Build) -> Ending:
        attempt = Attempt(self._config, self._rows, self._supervisor, self._caches, work, build)
        try:
            await attempt.run()
        except BuildStopped as stopped:
            return build.failed(stopped.reason, stopped.detail)
        except ContentLost as error:
            build.say("error", str(error))
            return build.failed(FailureReason.ERROR)
        except OSError as error:
            # A full disk, no more processes: trying for ever would help nobody.
            LOG.exception("build_failed deployment=%s", work.deployment.id)
            build.say("error", f"The server could not build it: {error.strerror}")
            return build.failed(FailureReason.ERROR)
        return build.succeeded(attempt.work.deployment)

    async def _finish(self, work: Work, build: Build, ending: Ending) -> None:
        deployment = work.deployment
        routes = await self._routes(deployment) if ending.status is Status.SUCCESS else []
        # Whoever reads `success` in the next millisecond finds the host routed: before the
        # commit, and once more after it, in case a full refresh came in between.
        self._routing.put(routes)
        lines, _ = build.take()
        # Shielded, because a cancellation that comes now is too late.
        if await asyncio.shield(self._rows.finish(deployment, ending, lines)):
            self._routing.put(routes)
            if deployment.targets:
                await self._routing.refresh(deployment.domains)
        else:
            await self._routing.refresh(deployment.domains)
            if not await self._end_cancelled(deployment.id, build):
                await self._supervisor.forget(deployment.id)
        if ending.status is not Status.SUCCESS:
            await self._discard(deployment.id)
            return
        self._supervisor.placing.prepare_for_the_next(work)
        if work.shares_cache:
            await self._keep_packages(deployment)

    async def _end_cancelled(self, deployment_id: str, build: Build) -> bool:
        """Store that a build was cancelled; False if there is none to cancel."""
        work = await self._rows.work(deployment_id)
        if work is None or work.deployment.cancellation_requested_at is None:
            return False
        if not build.started:
            build.start(work.deployment)
        build.say("warning", "The build was cancelled")
        ending = build.failed(FailureReason.CANCELLED)
        lines, _ = build.take()
        if await asyncio.shield(self._rows.finish(work.deployment, ending, lines)):
            await self._discard(deployment_id)
        return True

    async def _keep_packages(self, deployment: DeploymentRecord) -> None:
        """Leave what was downloaded to the app's next build; it serves already."""
        cache = self._supervisor.folder(deployment.id) / tree.CACHE
        try:
            if await asyncio.to_thread(self._caches.keep, deployment.project_id, cache):
                known = await self._rows.project_ids()
                await asyncio.to_thread(self._caches.forget_others, known)
        except OSError:
            # It costs the next build some time.
            LOG.warning("cache_not_kept deployment=%s", deployment.id, exc_info=True)

    async def _discard(self, deployment_id: str) -> None:
        """End what a failed build started, and remove its files: installed packages are large."""
        await self._supervisor.retire(deployment_id)
        await asyncio.to_thread(tree.discard, self._supervisor.folder(deployment_id))

    async def _flush(self, deployment_id: str, build: Build) -> None:
        while True:
            await asyncio.sleep(_FLUSH_EVERY_S)
            if build.has_news:
                lines, document = build.take()
                await asyncio.shield(self._rows.save_progress(deployment_id, lines, document))
                build.announce()

    async def _routes(self, deployment: DeploymentRecord) -> list[BindingRecord]:
        if deployment.targets is None:
            contexts = dict.fromkeys(deployment.domains, Context.PREVIEW)
        else:
            contexts = {
                host: context for context, hosts in deployment.targets.items() for host in hosts
            }
            answering = await self._rows.would_answer(deployment)
            contexts = {host: contexts[host] for host in contexts if host in answering}
        return [
            BindingRecord(
                host=host,
                deployment_id=deployment.id,
                revision=None,
                request_timeout=deployment.request_timeout,
                context=context,
                self_contained=deployment.targets is None,
            )
            for host, context in contexts.items()
        ]
