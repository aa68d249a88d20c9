"""All instances: started when they are needed, restarted after a crash, stopped when told."""

import asyncio
import logging
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.clock import Clock
from bot.kernel.runtime_dir import runtime_directory
from bot.subhosting.build.materialise import ContentLost, materialise
from bot.subhosting.config import SOURCE_URL, SubhostingConfig
from bot.subhosting.host.app_log import AppLog, Listener
from bot.subhosting.host.instance import Boot, Exited, Instance, NeverServed, Serving
from bot.subhosting.host.launcher import Nursery, launcher
from bot.subhosting.host.rows import Rows, Work
from bot.subhosting.sandbox.argv import Sandbox
from bot.subhosting.store.blobs import BlobStore
from bot.subhosting.store.records import DeploymentRecord, Status

LOG = logging.getLogger(__name__)

# A deployment that crashes again and again is started again after 0.1, 0.2, 0.4 ... seconds, no
# later than this. Requests wait meanwhile.
_FIRST_BACK_OFF_S = 0.1
_LONGEST_BACK_OFF_S = 5.0
# An instance that lived this long is no longer the victim of its last crash.
_STABLE_AFTER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInstance:
    """Nothing serves this deployment, and why; `log` is the end of what it said."""

    reason: str
    log: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Slot:
    """What is known of one deployment's instances."""

    instance: Instance | None = None
    starting: "asyncio.Task[Instance | NoInstance] | None" = None
    failures: int = 0
    not_before_s: float = 0.0


class Supervisor:
    """The owner of every Deno process below this host."""

    def __init__(self, config: SubhostingConfig, rows: Rows, clock: Clock) -> None:
        """Find out how children are started here, and end those of an earlier host."""
        runtime = runtime_directory(config.data_dir)
        self._config = config
        self._rows = rows
        self._clock = clock
        self._blobs = BlobStore(config.blobs_dir)
        self._sockets = runtime / "i"
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._slots: dict[str, _Slot] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False
        self.launcher = launcher()
        self._nursery = Nursery(runtime / "pids")
        if reaped := self._nursery.reap():
            LOG.warning("orphans_reaped pids=%s", reaped)
        for stale in self._sockets.iterdir():
            stale.unlink(missing_ok=True)

    def live(self, deployment_id: str) -> Instance | None:
        """Return the instance that takes requests now, or None: then `wake` makes one."""
        slot = self._slots.get(deployment_id)
        if slot is not None and slot.instance is not None and slot.instance.alive:
            return slot.instance
        return None

    async def wake(self, deployment_id: str) -> Instance | NoInstance:
        """Return an instance that takes requests, started if need be; callers share one start."""
        if (instance := self.live(deployment_id)) is not None:
            return instance
        if self._closed:
            return NoInstance(reason="the server is shutting down")
        slot = self._slots.setdefault(deployment_id, _Slot())
        if slot.starting is None:
            slot.starting = asyncio.create_task(self._wake(deployment_id, slot))
        return await asyncio.shield(slot.starting)

    async def boot(self, work: Work, listener: Listener) -> tuple[Boot, AppLog]:
        """Start the first instance of a deployment that is being built.

        Everything it says until then goes to `listener`. If it serves, it stays and takes the
        deployment's requests.
        """
        deployment = work.deployment
        instance = self._new_instance(deployment)
        instance.log.listener = listener
        boot = await self._booted(instance)
        instance.log.listener = None
        if isinstance(boot, Serving):
            self._adopt(deployment.id, self._slots.setdefault(deployment.id, _Slot()), instance)
        return boot, instance.log

    async def prepare(self, work: Work) -> Sandbox:
        """Put the deployment's files in place and return where they are.

        Raises:
            ContentLost: a file's content is missing.

        """
        sandbox = self._sandbox(work.deployment)
        blobs = self._blobs.folder(work.deployment.project_id)
        # In a thread: 10,000 links take a tenth of a second, and the router has work to do.
        await asyncio.to_thread(materialise, work.manifest, blobs, sandbox.source)
        return sandbox

    async def forget(self, deployment_id: str) -> None:
        """Stop a deleted deployment's instance and remove its files."""
        await self._stop(self._slots.pop(deployment_id, _Slot()))
        await asyncio.to_thread(shutil.rmtree, self.folder(deployment_id), ignore_errors=True)

    async def sweep(self) -> None:
        """Forget what is no longer in the database, in memory and on disk."""
        # Looked at before the database: a deployment made in between is not swept away.
        folders = {path.name for path in self._config.deployments_dir.iterdir()}
        present = folders | self._slots.keys()
        for deployment_id in present - await self._rows.existing():
            await self.forget(deployment_id)

    async def close(self) -> None:
        """Stop every instance; requests in flight get the drain time to end."""
        self._closed = True
        await asyncio.gather(*(self._stop(slot) for slot in self._slots.values()))

    def folder(self, deployment_id: str) -> Path:
        """Return the folder of everything that belongs to a deployment."""
        return self._config.deployments_dir / deployment_id

    async def _wake(self, deployment_id: str, slot: _Slot) -> Instance | NoInstance:
        try:
            wait_s = slot.not_before_s - self._clock.monotonic_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            return await self._restarted(deployment_id, slot)
        except Exception:
            # The boundary of a job: whoever waits for the instance must get an answer.
            LOG.exception("instance_start_failed deployment=%s", deployment_id)
            return NoInstance(reason="the server could not start it; its own log says why")
        finally:
            slot.starting = None

    async def _restarted(self, deployment_id: str, slot: _Slot) -> Instance | NoInstance:
        work = await self._rows.work(deployment_id)
        if work is None or work.deployment.status is not Status.SUCCESS:
            return NoInstance(reason="the deployment does not exist any more")
        try:
            await self.prepare(work)
        except ContentLost as error:
            LOG.exception("content_lost deployment=%s", deployment_id)
            return NoInstance(reason=str(error))
        instance = self._new_instance(work.deployment)
        boot = await self._booted(instance)
        if isinstance(boot, Serving):
            self._adopt(deployment_id, slot, instance)
            return instance
        self._failed(slot)
        return NoInstance(reason=said_of(boot, self._config), log=tuple(instance.log.ring))

    async def _booted(self, instance: Instance) -> Boot:
        await instance.start(self.launcher, self._config.runtime, self._nursery)
        try:
            return await instance.boot(self._config.warm_up)
        except asyncio.CancelledError:
            await instance.kill()
            raise

    def _adopt(self, deployment_id: str, slot: _Slot, instance: Instance) -> None:
        slot.instance = instance
        task = asyncio.create_task(self._watch(deployment_id, slot, instance))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _watch(self, deployment_id: str, slot: _Slot, instance: Instance) -> None:
        """Notice the end of an instance, and whether it was a crash."""
        started = self._clock.monotonic_s()
        code = await instance.wait()
        if instance.draining:
            return
        LOG.warning("instance_ended deployment=%s code=%s", deployment_id, code)
        if self._clock.monotonic_s() - started > _STABLE_AFTER_S:
            slot.failures = 0
        self._failed(slot)

    def _failed(self, slot: _Slot) -> None:
        back_off = min(_FIRST_BACK_OFF_S * 2**slot.failures, _LONGEST_BACK_OFF_S)
        slot.failures = min(slot.failures + 1, 10)
        slot.not_before_s = self._clock.monotonic_s() + back_off

    async def _stop(self, slot: _Slot) -> None:
        if slot.starting is not None:
            await asyncio.wait({slot.starting})
        if slot.instance is not None:
            await slot.instance.stop(self._config.drain)

    def _new_instance(self, deployment: DeploymentRecord) -> Instance:
        sandbox = self._sandbox(deployment)
        runtime = self._config.runtime
        # Deno announces where it listens; that is our business and not the app's.
        log = AppLog(
            self.folder(deployment.id) / "logs" / "app.log",
            clock=self._clock,
            bytes_per_s=runtime.log_bytes_per_s,
            file_bytes=runtime.log_file_bytes,
            shown=shown_paths(sandbox),
        )
        return Instance(deployment.id, sandbox, log, self._clock)

    def _sandbox(self, deployment: DeploymentRecord) -> Sandbox:
        folder = self.folder(deployment.id)
        return Sandbox(
            deno=self._config.deno,
            source=folder / "src",
            cache=folder / "cache",
            entry_point=deployment.entry_point,
            # A new name each time: an old instance that still drains keeps its own.
            socket=self._sockets / f"{deployment.id}.{secrets.token_hex(3)}",
            heap_mib=self._config.runtime.heap_mib,
            env_vars=deployment.env_vars,
            registries=self._config.registries,
            remote_modules=(folder / "cache" / "remote").is_dir(),
        )


def shown_paths(sandbox: Sandbox) -> dict[str, str]:
    """Return what to show in logs instead of our folders: the address that clients know."""
    return {
        f"{sandbox.source.as_uri()}/": SOURCE_URL,
        f"{sandbox.source}/": SOURCE_URL.removeprefix("file://"),
    }


def said_of(boot: Exited | NeverServed, config: SubhostingConfig) -> str:
    """Return in a sentence why an instance does not serve."""
    match boot:
        case NeverServed():
            seconds = config.warm_up.total_seconds()
            return f"it did not answer HTTP within {seconds:g} s of its start and was stopped"
        case Exited(code=0):
            return "no HTTP server started: the entry point ran to its end and exited"
        case Exited(code=code) if code < 0:
            return f"it exited before serving, ended by signal {-code}"
        case Exited(code=code):
            return f"it exited before serving, with code {code}"
