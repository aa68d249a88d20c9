"""The store as the event loop sees it: behind a thread, so that no query stops the router."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy.engine import Connection

from bot.kernel.clock import Clock
from bot.subhosting.build.commands import Names
from bot.subhosting.store import (
    bindings,
    content,
    databases,
    deployments,
    env_vars,
    projects,
    retention,
    revisions,
    settings,
)
from bot.subhosting.store.bindings import Mark
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import (
    Attachment,
    BindingRecord,
    Context,
    DeploymentRecord,
    Ending,
    InstanceKey,
    LogLine,
    Manifest,
    Status,
)
from bot.subhosting.store.settings import NONE, Settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A deployment and what it is made of."""

    deployment: DeploymentRecord
    manifest: Manifest
    settings: Settings = NONE
    # What `Deno.openKv()` opens in each context: the id of a database.
    databases: Mapping[Context | None, str] = field(default_factory=dict)
    # Whether its build takes packages from builds before it, and leaves its own to later ones.
    # Never for code of strangers.
    shares_cache: bool = True


class Rows:
    """What the host asks of the store, and tells it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use `database` from one thread, in the order of the calls."""
        self._database = database
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="subhosting-rows")

    async def close(self) -> None:
        """End the thread after its last query."""
        await asyncio.to_thread(self._thread.shutdown)
        self._database.close()

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Return what a query finds."""
        return await self._run(lambda: self._read(query))

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Make a change in a transaction of its own, and return what it found."""

        def write() -> Result:
            with self._database.writing() as connection:
                return change(connection)

        return await self._run(write)

    async def work(self, deployment_id: str) -> Work | None:
        """Return a deployment with its manifest, or None if it is gone."""

        def read() -> Work | None:
            with self._database.reading() as connection:
                found = deployments.load(connection, deployment_id)
                if found is None:
                    return None
                digest = found.manifest_digest
                manifest = content.load_manifest(connection, found.project_id, digest)
                wishes = settings.load(connection, [found.id])[found.id]
                opened = databases.opened_by(connection, found.id)
            return Work(deployment=found, manifest=manifest, settings=wishes, databases=opened)

        return await self._run(read)

    async def enabled_by_use(self, deployment_id: str) -> bool:
        """Let a disabled revision serve again if it answers for others now, and return whether.

        That is so when what stood before it on a host is gone.
        """

        def enable(connection: Connection) -> bool:
            used = retention.in_use(connection, [deployment_id])
            return bool(used) and retention.enable(connection, deployment_id, self._clock.now())

        return await self.write(enable)

    async def pending(self) -> list[str]:
        """Return the ids of deployments that need a build, oldest first."""
        return await self._run(lambda: self._read(deployments.pending))

    async def existing(self) -> set[str]:
        """Return the ids of all deployments."""
        return await self._run(lambda: self._read(deployments.existing))

    async def project_ids(self) -> set[str]:
        """Return the ids of all projects."""
        return await self._run(lambda: self._read(projects.existing))

    async def mark(self) -> Mark:
        """Return what changes whenever a binding does."""
        return await self._run(lambda: self._read(bindings.mark))

    async def bindings(self, hosts: Iterable[str] | None = None) -> list[BindingRecord]:
        """Return the bindings of `hosts`, or all."""
        return await self._run(lambda: self._read(lambda c: bindings.load(c, hosts)))

    async def environment(self, key: InstanceKey) -> dict[str, str] | None:
        """Return the variables that an instance sees, or None if its deployment is gone."""

        def read() -> dict[str, str] | None:
            with self._database.reading() as connection:
                found = deployments.load(connection, key.deployment_id)
                if found is None:
                    return None
                if key.context is None:
                    return dict(found.env_vars)
                seen = env_vars.resolved(connection, found, key.context)
            # https://docs.deno.com/deploy/reference/env_vars_and_contexts/
            preview = key.context is Context.PREVIEW
            timeline = f"preview/{found.id}" if preview else str(key.context)
            return {**seen, "DENO_TIMELINE": timeline}

        return await self._run(read)

    async def build_environment(
        self, deployment: DeploymentRecord
    ) -> tuple[Names, dict[str, str]] | None:
        """Return what is built and the variables that its commands see, or None if it is gone."""

        def read() -> tuple[Names, dict[str, str]] | None:
            with self._database.reading() as connection:
                owner = projects.owner(connection, deployment.project_id)
                if owner is None:
                    return None
                if deployment.targets is None:
                    seen = dict(deployment.env_vars)
                else:
                    seen = env_vars.resolved_for_build(connection, deployment)
            names = Names(
                organization_id=owner.organization_id,
                organization=owner.organization,
                app_id=deployment.project_id,
                app=owner.name,
                revision=deployment.id,
            )
            return names, seen

        return await self._run(read)

    async def secrets(self, deployment: DeploymentRecord) -> set[str]:
        """Return the values of a deployment's variables that no log may show."""
        return await self._run(lambda: self._read(lambda c: env_vars.secrets(c, deployment)))

    async def variables_mark(self) -> env_vars.Mark:
        """Return what changes whenever an instance may see other variables."""
        return await self._run(lambda: self._read(env_vars.mark))

    async def would_answer(self, deployment: DeploymentRecord) -> set[str]:
        """Return those of a deployment's hosts that it will answer on once it is bound."""

        def read() -> set[str]:
            with self._database.reading() as connection:
                taken = {
                    each.host
                    for each in bindings.load(connection, deployment.domains)
                    if each.attachment is Attachment.PROMOTED
                    or bindings.newer(connection, each.deployment_id, deployment)
                }
            return set(deployment.domains) - taken

        return await self._run(read)

    async def restart_log(self, deployment_id: str) -> None:
        """Empty the log of a build that an earlier host did not finish."""

        def write() -> None:
            with self._database.writing() as connection:
                deployments.clear_log(connection, deployment_id)

        await self._run(write)

    async def save_progress(
        self,
        deployment_id: str,
        lines: list[LogLine],
        stages: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Add lines to the log of a build that goes on, and store how far it is."""

        def write() -> None:
            with self._database.writing() as connection:
                if deployments.load(connection, deployment_id) is not None:
                    deployments.append_log(connection, deployment_id, lines)
                    revisions.save_stages(connection, deployment_id, stages)

        await self._run(write)

    async def finish(
        self, deployment: DeploymentRecord, ending: Ending, lines: list[LogLine]
    ) -> bool:
        """Store the end of a build, the rest of its log and its hosts, all or nothing.

        Returns False, and stores nothing, when the deployment is gone, or when it was cancelled
        and this is another ending.
        """

        def write() -> bool:
            now = self._clock.now()
            with self._database.writing() as connection:
                found = deployments.load(connection, deployment.id)
                if found is None:
                    return False
                success = ending.status is Status.SUCCESS
                if success and found.cancellation_requested_at is not None:
                    return False
                if not deployments.finish(connection, deployment.id, ending, now):
                    return False
                deployments.append_log(connection, deployment.id, lines)
                if success:
                    _bind(connection, deployment, now)
                return True

        return await self._run(write)

    def _read(self, query: "Callable[..., Result]") -> Result:
        with self._database.reading() as connection:
            return query(connection)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _bind(connection: Connection, deployment: DeploymentRecord, now: datetime) -> None:
    if deployment.targets is None:
        name = projects.name_of(connection, deployment.project_id)
        for host in deployment.domains:
            context, how = bindings.kind_of(name, deployment.id, host)
            bindings.move(
                connection, host, deployment.id, None, now, context=context, attachment=how
            )
        return
    for context, hosts in deployment.targets.items():
        for host, how in hosts.items():
            bindings.add(connection, host, deployment.id, now, context=context, attachment=how)
