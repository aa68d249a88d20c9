"""How this host protects itself from what it runs: found out once, asked before each run."""

import asyncio
import logging
import os
import socket
from dataclasses import dataclass, replace

from sqlalchemy import make_url

from bot.kernel.runtime_dir import runtime_directory
from bot.subhosting.config import MIB, RuntimeLimits, SubhostingConfig
from bot.subhosting.host.probe import reach
from bot.subhosting.sandbox import cgroups
from bot.subhosting.sandbox.cgroups import Cgroups
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.level import Isolation, Level
from bot.subhosting.sandbox.view import ProcessLimits

LOG = logging.getLogger(__name__)

# Files that children of another user id must read are made by this process. Those who may get to
# them at all is decided by the data directory, which is ours alone.
_UMASK = 0o022

# The watchdog looks four times a second and says why; the kernel comes in where that is too late.
_FOR_FILES_BYTES = 384 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What was reached, how to use it, and what is asked for at least."""

    isolation: Isolation
    confinement: Confinement
    minimum: Level

    def refusal(self, minimum: str | None) -> str | None:
        """Return why a deployment that asks for `minimum` may not run here, or None."""
        own = Level.L0 if minimum is None else Level.named(minimum)
        needed = max(own, self.minimum)
        if needed <= self.isolation.level:
            return None
        lacking = "; ".join(
            f"{each.layer}: {each.reason} ({each.fix})" for each in self.isolation.missing
        )
        return (
            f"it may run at isolation level {needed.name} or higher only, and this server reached "
            f"{self.isolation.level.name}" + (f". Missing: {lacking}" if lacking else "")
        )


async def protection(config: SubhostingConfig, own_ports: frozenset[int]) -> Protection:
    """Find out what this machine can do, and end what an earlier host left in its groups.

    `own_ports` are those that no app may connect to.
    """
    os.umask(_UMASK)
    runtime = runtime_directory(config.data_dir)
    groups = await asyncio.to_thread(cgroups.found, runtime.name)
    if isinstance(groups, Cgroups):
        await asyncio.to_thread(groups.clear)
    isolation, confinement = await reach(config, runtime / "probe", groups)
    allowed = tuple(port for port in confinement.ports if port not in own_ports)
    made = Protection(
        isolation=isolation,
        confinement=replace(confinement, ports=allowed),
        minimum=Level.named(config.min_isolation),
    )
    _tell(made)
    return made


def own_ports(config: SubhostingConfig, listener: socket.socket) -> frozenset[int]:
    """Return the ports of this installation as far as the host knows them."""
    known = {listener.getsockname()[1], make_url(config.database).port}
    # What the world calls 443 is the TLS proxy's, and every other server's as well.
    return frozenset(port for port in known if port is not None) - {80, 443}


def most_bytes(runtime: RuntimeLimits, heap_mib: int) -> int:
    """Return what the process of an instance with such a heap may use of memory."""
    return heap_mib * MIB + runtime.beside_heap_bytes


def let_go(made: Protection) -> None:
    """Remove the data directory's own groups, when every child has ended."""
    if made.confinement.cgroups is not None:
        made.confinement.cgroups.close()


def limits_of(runtime: RuntimeLimits, heap_mib: int) -> ProcessLimits:
    """Return what one running instance with such a heap may use."""
    return ProcessLimits(
        open_files=runtime.open_files,
        file_bytes=runtime.file_bytes,
        data_bytes=runtime.data_bytes,
        # Files that it reads count as well, and what can be taken back from it in need.
        memory_bytes=most_bytes(runtime, heap_mib) + _FOR_FILES_BYTES,
        processes=runtime.processes,
        cpus=runtime.cpus,
    )


def _tell(made: Protection) -> None:
    isolation = made.isolation
    LOG.info("isolation_reached level=%s layers=%s", isolation.level.name, isolation.layers)
    for each in isolation.missing:
        LOG.warning("isolation_missing layer=%s reason=%s", each.layer, each.reason)
    if (refusal := made.refusal(None)) is not None:
        LOG.error("isolation_too_low nothing is run, because %s", refusal)
