"""All instances: started when they are needed, restarted after a crash, stopped when told."""

import asyncio
import logging
import secrets
import shutil
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from bot.kernel.clock import Clock
from bot.kernel.runtime_dir import runtime_directory
from bot.subhosting.build.materialise import ContentLost
from bot.subhosting.build.overlay import import_map, lock_file
from bot.subhosting.build.plan import plan_of
from bot.subhosting.build.site import Site
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.app_log import AppLog, Listener
from bot.subhosting.host.crashes import Crashes
from bot.subhosting.host.inside import Inside
from bot.subhosting.host.instance import Boot, Exited, Instance, Serving, Unwanted
from bot.subhosting.host.kv_access import KvAccess
from bot.subhosting.host.launcher import Nursery
from bot.subhosting.host.live import NoInstance
from bot.subhosting.host.outfitting import Outfitter, broken_rule
from bot.subhosting.host.outside import Outside
from bot.subhosting.host.placing import Placing, overlay_of
from bot.subhosting.host.protection import Protection, limits_of, most_bytes
from bot.subhosting.host.recorder import Recorder
from bot.subhosting.host.resting import Use, to_rest
from bot.subhosting.host.rows import Rows, Work
from bot.subhosting.host.static.sites import Sites
from bot.subhosting.host.watchdog import Watchdog
from bot.subhosting.host.wording import said_of, said_of_disabled
from bot.subhosting.sandbox import server_address
from bot.subhosting.sandbox.argv import Sandbox
from bot.subhosting.sandbox.own_addresses import own_addresses
from bot.subhosting.store.env_vars import Mark
from bot.subhosting.store.records import Context, InstanceKey, Status

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Slot:
    """What is known of one instance, those before it and the one that will follow."""

    instance: Instance | None = None
    # What it was started with; another value in the store means a restart.
    env_vars: Mapping[str, str] | None = None
    starting: "asyncio.Task[Instance | Site | NoInstance] | None" = None
    crashes: Crashes = field(default_factory=Crashes)


class Supervisor:
    """The owner of every Deno process below this host."""

    def __init__(
        self,
        config: SubhostingConfig,
        rows: Rows,
        clock: Clock,
        recorder: Recorder,
        protection: Protection,
    ) -> None:
        """End the children of an earlier host; ours are started by `protection`."""
        runtime = runtime_directory(config.data_dir)
        self._config = config
        self._rows = rows
        self._clock = clock
        self._sockets = runtime / "i"
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._slots: dict[InstanceKey, _Slot] = {}
        self.placing = Placing(config)
        self.sites = Sites(self.placing)
        self._variables: Mark | None = None
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False
        self._inside = Inside()
        self._databases = KvAccess(config, clock, self._inside, recorder.tally)
        self._outfitter = Outfitter(config, rows, clock, recorder, self._inside)
        self.protection = protection
        self.confinement = replace(protection.confinement, serve_inside=self._inside.serve)
        self._watchdog = Watchdog(config.runtime.hang_after, config.runtime.stored_bytes)
        self.outside = Outside(config, self._inside)
        self._nursery = Nursery(runtime / "pids")
        if reaped := self._nursery.reap():
            LOG.warning("orphans_reaped pids=%s", reaped)
        for stale in self._sockets.iterdir():
            shutil.rmtree(stale, ignore_errors=True)

    def live(self, key: InstanceKey) -> Instance | Site | None:
        """Return what takes requests now, or None: then `wake` makes it."""
        slot = self._slots.get(key)
        if slot is not None and slot.instance is not None and slot.instance.alive:
            return slot.instance
        return self.sites.find(key.deployment_id)

    async def wake(self, key: InstanceKey) -> Instance | Site | NoInstance:
        """Return what takes requests, started if need be; callers share one start."""
        if (instance := self.live(key)) is not None:
            return instance
        if self._closed:
            return NoInstance(reason="the server is shutting down", status=503)
        slot = self._slots.setdefault(key, _Slot())
        if slot.starting is None:
            slot.starting = asyncio.create_task(self._wake(key, slot))
        return await asyncio.shield(slot.starting)

    async def boot(
        self, work: Work, listener: Listener, context: Context | None
    ) -> tuple[Boot, AppLog]:
        """Start the first instance in `context` of a deployment that is being built.

        Everything it says until then goes to `listener`. If it serves, it stays and takes the
        deployment's requests.
        """
        key = InstanceKey(work.deployment.id, context)
        env_vars = await self._rows.environment(key) or {}
        instance, boot = await self._served(work, context, env_vars, listener)
        if isinstance(boot, Serving) and (rule := await broken_rule(work, instance)):
            await instance.kill()
            boot = Unwanted(rule)
        instance.log.listener = None
        if isinstance(boot, Serving):
            slot = self._slots.setdefault(key, _Slot())
            slot.env_vars = env_vars
            self._adopt(key, slot, instance)
        return boot, instance.log

    async def retire(self, deployment_id: str) -> None:
        """Stop a deployment's instances; its files stay, and whoever asks for it starts it."""
        self.sites.forget(deployment_id)
        self.outside.forget_app(deployment_id)
        keys = [key for key in self._slots if key.deployment_id == deployment_id]
        await asyncio.gather(*(self._stop(self._slots.pop(key)) for key in keys))

    def rest(self) -> None:
        """Stop instances that nobody has asked for in a while, or that are too many."""
        live = {
            key: slot.instance
            for key, slot in self._slots.items()
            if slot.instance is not None and slot.instance.alive
        }
        resting = to_rest(
            (Use(key=key, active=each.in_use, since_s=each.used_s) for key, each in live.items()),
            self._clock.monotonic_s(),
            idle_after=self._config.idle_after,
            most=self._config.live_instances,
        )
        for key in resting:
            # Draining at once: a request that comes now starts the next one.
            live[key].draining = True
            self._in_background(live[key].stop(self._config.drain))

    async def refresh_variables(self) -> None:
        """Restart every instance that would see other variables now than at its start."""
        mark = await self._rows.variables_mark()
        if mark == self._variables:
            return
        for key, slot in list(self._slots.items()):
            if key.context is not None and slot.instance is not None and slot.instance.alive:
                env_vars = await self._rows.environment(key)
                if env_vars is not None and env_vars != slot.env_vars:
                    await self._replace(key, slot)
        self._variables = mark

    async def prepare(self, work: Work) -> Sandbox:
        """Put the deployment's files in place and return where they are.

        Raises:
            ContentLost: a file's content is missing.

        """
        sandbox = self._sandbox(work, None)
        await self.placing.put_in_place(work)
        return sandbox

    async def begin_build(self, work: Work) -> Sandbox:
        """Put the deployment's files in place as copies that the app's commands may write to.

        Raises:
            ContentLost: a file's content is missing.

        """
        await self.placing.begin_build(work)
        return self.sandbox(work)

    def sandbox(self, work: Work) -> Sandbox:
        """Return where the deployment's files are, without anything of a timeline."""
        return replace(self._sandbox(work, None), kv_file=None)

    @asynccontextmanager
    async def prepared_for(self, work: Work, context: Context | None) -> AsyncIterator[Sandbox]:
        """Give what a command of a timeline is given: a way to its database."""
        sandbox, own_network = self._sandbox(work, context), self.confinement.own_network
        async with self._databases.lent(sandbox, own_network=own_network) as given:
            yield given

    async def forget(self, deployment_id: str) -> None:
        """Stop a deleted deployment's instance and remove its files."""
        await self.retire(deployment_id)
        await asyncio.to_thread(shutil.rmtree, self.folder(deployment_id), ignore_errors=True)

    async def sweep(self) -> None:
        """Forget what is no longer in the database, in memory and on disk."""
        # Looked at before the database: a deployment made in between is not swept away.
        folders = {path.name for path in self._config.deployments_dir.iterdir()}
        present = folders | {key.deployment_id for key in self._slots}
        for deployment_id in present - await self._rows.existing():
            await self.forget(deployment_id)
        self.placing.forget_others(await self._rows.project_ids())

    async def close(self) -> None:
        """Stop every instance; requests in flight get the drain time to end."""
        self._closed = True
        await asyncio.gather(*(self._stop(slot) for slot in self._slots.values()))
        await self.outside.close()
        await self._outfitter.close()
        await self._databases.close()
        await self.placing.close()

    def folder(self, deployment_id: str) -> Path:
        """Return the folder of everything that belongs to a deployment."""
        return self._config.deployments_dir / deployment_id

    async def _replace(self, key: InstanceKey, slot: _Slot) -> None:
        """Start an instance with the variables of now, and let the old one end its requests.

        Not the other way round, so that nobody waits. Should the new one not start, the old one
        ends all the same: a value that was taken back must not live on.
        """
        old = slot.instance
        if slot.starting is None:
            slot.starting = asyncio.create_task(self._wake(key, slot))
        await asyncio.shield(slot.starting)
        LOG.info("instance_replaced deployment=%s context=%s", *key)
        if old is not None:
            old.draining = True
            self._in_background(old.stop(self._config.drain))

    async def _wake(self, key: InstanceKey, slot: _Slot) -> Instance | Site | NoInstance:
        try:
            await asyncio.sleep(slot.crashes.wait_s(self._clock.monotonic_s()))
            return await self._restarted(key, slot)
        except Exception:
            # The boundary of a job: whoever waits for the instance must get an answer.
            LOG.exception("instance_start_failed deployment=%s", key.deployment_id)
            reason = "the server could not start it; its own log says why"
            return NoInstance(reason=reason, status=503)
        finally:
            slot.starting = None

    async def _restarted(self, key: InstanceKey, slot: _Slot) -> Instance | Site | NoInstance:
        deployment_id = key.deployment_id
        work = await self._rows.work(deployment_id)
        env_vars = await self._rows.environment(key)
        if work is None or env_vars is None or work.deployment.status is not Status.SUCCESS:
            return NoInstance(reason="the deployment does not exist any more")
        if (refused := await self._refused(work)) is not None:
            return refused
        try:
            await self.prepare(work)
        except ContentLost as error:
            LOG.exception("content_lost deployment=%s", deployment_id)
            return NoInstance(reason=str(error))
        if plan_of(work.deployment).static_folder is not None:
            return await self.sites.open(work)
        instance, boot = await self._served(work, key.context, env_vars)
        if isinstance(boot, Serving):
            slot.env_vars = env_vars
            self._adopt(key, slot, instance)
            return instance
        again = slot.crashes.count(self._clock.monotonic_s())
        reason = f"{said_of(boot, self._config)}; {again}"
        return NoInstance(reason=reason, log=tuple(instance.log.ring))

    async def _refused(self, work: Work) -> NoInstance | None:
        since = work.deployment.disabled_at
        if since is not None and not await self._rows.enabled_by_use(work.deployment.id):
            reason = said_of_disabled(since, self._config.retention)
            return NoInstance(reason=reason, status=HTTPStatus.GONE)
        refusal = self.protection.refusal(work.settings.min_isolation)
        return None if refusal is None else NoInstance(reason=refusal)

    async def _served(
        self,
        work: Work,
        context: Context | None,
        env_vars: Mapping[str, str],
        listener: Listener | None = None,
    ) -> tuple[Instance, Boot]:
        """Start an instance; one that missed its server's address is told it the second time."""
        while True:
            instance = await self._new_instance(work, context, env_vars)
            instance.log.listener = listener
            boot = await self._booted(instance)
            told = instance.sandbox.told_its_address
            missed = isinstance(boot, Exited) and server_address.was_missed(instance.log.ring)
            if told or not missed:
                return instance, boot
            (self.folder(work.deployment.id) / server_address.MARK).touch()
            if listener is not None:
                listener("info", "It asks for its address on TCP: started again with an answer")

    async def _booted(self, instance: Instance) -> Boot:
        async with self._databases.held_by(instance):
            return await self._started(instance)

    async def _started(self, instance: Instance) -> Boot:
        limits = limits_of(self._config.runtime, instance.sandbox.heap_mib)
        await instance.start(self.confinement, limits, self._nursery)
        self._watchdog.watch(instance)
        try:
            return await instance.boot(self._config.warm_up)
        except asyncio.CancelledError:
            await instance.kill()
            raise

    def _adopt(self, key: InstanceKey, slot: _Slot, instance: Instance) -> None:
        if slot.instance is not None and slot.instance.alive:
            self._in_background(slot.instance.stop(self._config.drain))
        slot.instance = instance
        instance.used_s = self._clock.monotonic_s()
        if len(self._slots) > self._config.live_instances:
            self.rest()
        instance.meter.look()  # its memory, in case it does not live until the next look
        self._in_background(self._watch(key, slot, instance))

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _watch(self, key: InstanceKey, slot: _Slot, instance: Instance) -> None:
        """Notice the end of an instance, and whether it was a crash."""
        started = self._clock.monotonic_s()
        code = await instance.wait()
        if instance.draining:
            return
        # Its own last words come first in the log.
        await instance.all_output()
        LOG.warning(
            "instance_ended deployment=%s code=%s: %s", key.deployment_id, code, instance.ending
        )
        again = slot.crashes.count(self._clock.monotonic_s(), lived_from_s=started)
        instance.log.note(f"The app {instance.ending}; {again}")

    async def _stop(self, slot: _Slot) -> None:
        if slot.starting is not None:
            await asyncio.wait({slot.starting})
        if slot.instance is not None:
            await slot.instance.stop(self._config.drain)

    async def _new_instance(
        self, work: Work, context: Context | None, env_vars: Mapping[str, str]
    ) -> Instance:
        key = InstanceKey(work.deployment.id, context)
        log_file = self.folder(key.deployment_id) / "logs" / "app.log"
        sandbox = self._sandbox(work, context, env_vars)
        if self.confinement.own_network:
            sandbox = self.outside.for_app(sandbox)
        instance = await self._outfitter.instance(work, key, sandbox, log_file)
        instance.most_bytes = most_bytes(self._config.runtime, sandbox.heap_mib)
        return instance

    def _sandbox(
        self, work: Work, context: Context | None, env_vars: Mapping[str, str] | None = None
    ) -> Sandbox:
        deployment, settings = work.deployment, work.settings
        folder = self.folder(deployment.id)
        overlay = overlay_of(folder)
        plan, runtime = plan_of(deployment), self._config.runtime
        # What v1 links holds in every context.
        database = work.databases.get(context) or work.databases.get(None)
        return Sandbox(
            deno=self._config.deno,
            owner=deployment.id,
            own_addresses=own_addresses(),
            source=folder / "src",
            cache=folder / "cache",
            entry_point=deployment.entry_point,
            # Alone in its folder, with a new name each time: an old instance that still drains
            # keeps its own.
            socket=self._sockets / f"{deployment.id}.{secrets.token_hex(3)}" / "s",
            heap_mib=min(plan.memory_mib or runtime.heap_mib, runtime.most_heap_mib),
            env_vars=env_vars or {},
            registries=self._config.registries,
            remote_modules=(folder / "cache" / "remote").is_dir(),
            net=settings.net,
            kv_file=None if database is None else self._config.kv_file(database),
            import_map=import_map(settings, folder / "src", overlay),
            lock=lock_file(settings, overlay),
            without_lock=settings.lock_file == "",
            told_its_address=(folder / server_address.MARK).exists(),
            arguments=plan.arguments,
            working_directory=plan.working_directory,
        )
