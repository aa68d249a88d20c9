"""How apps and their commands reach KV databases: through our KV Connect server, which counts.

Deno speaks KV Connect to whatever `DENO_KV_DEFAULT_PATH` names, so any number of processes use a
database at once, and what they do is measured where they cannot touch it. See docs/adr/0012.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.kernel.clock import Clock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.inside import Inside
from bot.subhosting.host.instance import Instance
from bot.subhosting.host.kv_files import KvFiles
from bot.subhosting.host.traffic import Tally
from bot.subhosting.sandbox.argv import Sandbox

if TYPE_CHECKING:
    from bot.subhosting.kv.connect import KvServer

# Where a process with a network of its own finds our ports.
_INSIDE = "127.0.0.1"

TOKEN_VARIABLE = "DENO_KV_ACCESS_TOKEN"  # noqa: S105 - a name


class KvAccess:
    """Gives each process a way to its database, and takes it back when the process has ended."""

    def __init__(
        self, config: SubhostingConfig, clock: Clock, inside: Inside, tally: Tally
    ) -> None:
        """Count in `tally` what deployments do.

        The server is offered `inside` as well, for those with their own network.
        """
        self._connects = config.kv_connect
        self._most_bytes = config.runtime.kv_bytes
        self._clock = clock
        self._inside = inside
        self._tally = tally
        self._files = KvFiles(config.drain)
        self._server: KvServer | None = None
        self._opening: asyncio.Task[tuple[str, int]] | None = None

    @asynccontextmanager
    async def held_by(self, instance: Instance) -> AsyncIterator[None]:
        """Give the instance a way to its database, if it has one; start it inside the block."""
        file = instance.sandbox.kv_file
        if file is None:
            yield
        elif not self._connects:
            async with self._files.held_by(instance, file):
                yield
        else:
            own_network = instance.sandbox.own_network
            server, token, instance.sandbox = await self._admitted(
                instance.sandbox, file, own_network=own_network
            )
            try:
                yield
            except BaseException:
                server.dismiss(token)  # it never came to run
                raise
            instance.when_ended(lambda: server.dismiss(token))

    @asynccontextmanager
    async def lent(self, sandbox: Sandbox, *, own_network: bool) -> AsyncIterator[Sandbox]:
        """Give a command a way to its database for the length of the block."""
        file = sandbox.kv_file
        if file is None:
            yield sandbox
        elif not self._connects:
            async with self._files.lent(file):
                yield sandbox
        else:
            server, token, given = await self._admitted(sandbox, file, own_network=own_network)
            try:
                yield given
            finally:
                server.dismiss(token)

    async def close(self) -> None:
        """Serve no more, after all instances have ended."""
        if self._server is not None:
            await self._server.close()

    async def _admitted(
        self, sandbox: Sandbox, file: Path, *, own_network: bool
    ) -> tuple["KvServer", str, Sandbox]:
        """Return the server, a new token, and the sandbox of a process that uses it.

        Raises:
            OSError: the server cannot be opened on this machine.

        """
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.create_task(self._opened())
        host, port = await asyncio.shield(self._opening)
        if self._server is None:
            msg = "the KV Connect server is not open"
            raise RuntimeError(msg)
        # A database's folder is named by its id.
        token = self._server.admit(file.parent.name, file, lambda: self._tally.of(sandbox.owner))
        given = replace(
            sandbox,
            kv_file=None,
            kv_server=(_INSIDE if own_network else host, port),
            platform={**sandbox.platform, TOKEN_VARIABLE: token},
            loopback_ports=(*sandbox.loopback_ports, port),
        )
        return self._server, token, given

    async def _opened(self) -> tuple[str, int]:
        # HTTP/2 is 4 MB that hosts without databases do not need.
        from bot.subhosting.kv.connect import KvServer  # noqa: PLC0415

        server = KvServer(self._clock, self._most_bytes)
        address = await server.listen()
        self._inside.offer(None, address[1], server.attach)
        self._server = server
        return address
