"""The store as the event loop sees it: behind a thread, so that no query stops the router."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from bot.kernel.clock import Clock
from bot.subhosting.store import bindings, content, deployments
from bot.subhosting.store.bindings import Mark
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import BindingRecord, DeploymentRecord, Manifest, Status

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A deployment and what it is made of."""

    deployment: DeploymentRecord
    manifest: Manifest


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

    async def work(self, deployment_id: str) -> Work | None:
        """Return a deployment with its manifest, or None if it is gone."""

        def read() -> Work | None:
            with self._database.reading() as connection:
                found = deployments.load(connection, deployment_id)
                if found is None:
                    return None
                digest = found.manifest_digest
                manifest = content.load_manifest(connection, found.project_id, digest)
            return Work(deployment=found, manifest=manifest)

        return await self._run(read)

    async def pending(self) -> list[str]:
        """Return the ids of deployments that need a build, oldest first."""
        return await self._run(lambda: self._read(deployments.pending))

    async def existing(self) -> set[str]:
        """Return the ids of all deployments."""
        return await self._run(lambda: self._read(deployments.existing))

    async def mark(self) -> Mark:
        """Return what changes whenever a binding does."""
        return await self._run(lambda: self._read(bindings.mark))

    async def bindings(self, hosts: Iterable[str] | None = None) -> list[BindingRecord]:
        """Return the bindings of `hosts`, or all."""
        return await self._run(lambda: self._read(lambda c: bindings.load(c, hosts)))

    async def restart_log(self, deployment_id: str) -> None:
        """Empty the log of a build that an earlier host did not finish."""

        def write() -> None:
            with self._database.writing() as connection:
                deployments.clear_log(connection, deployment_id)

        await self._run(write)

    async def append_log(self, deployment_id: str, lines: list[tuple[str, str]]) -> None:
        """Add lines to the log of a build that goes on; a deleted deployment has none."""

        def write() -> None:
            with self._database.writing() as connection:
                if deployments.load(connection, deployment_id) is not None:
                    deployments.append_log(connection, deployment_id, lines, self._clock.now())

        await self._run(write)

    async def finish(
        self, deployment: DeploymentRecord, status: Status, lines: list[tuple[str, str]]
    ) -> bool:
        """Store the end of a build, the rest of its log and its hosts, all or nothing.

        Returns False, and stores nothing, when the deployment is gone.
        """

        def write() -> bool:
            now = self._clock.now()
            with self._database.writing() as connection:
                if not deployments.finish(connection, deployment.id, status, now):
                    return False
                deployments.append_log(connection, deployment.id, lines, now)
                if status is Status.SUCCESS:
                    for host in deployment.domains:
                        bindings.move(connection, host, deployment.id, None, now)
                return True

        return await self._run(write)

    def _read(self, query: "Callable[..., Result]") -> Result:
        with self._database.reading() as connection:
            return query(connection)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
