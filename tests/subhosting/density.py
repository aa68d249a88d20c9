"""Many apps on one server: what they hold in memory, and what they cost while nobody asks."""

import os
import select
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.clock import SystemClock
from tests.subhosting.server import RunningSubhosting, wait_until

HELLO = "Deno.serve(() => new Response('hello'));"

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Idle:
    """What instances and the host used while nobody asked for them."""

    instances: int
    seconds: float
    pss_mib: float
    apps_cpu_s: float
    host_cpu_s: float

    def report(self) -> str:
        """Return the figures in a line."""
        return (
            f"{self.instances} idle instances: {self.pss_mib:.0f} MiB Pss, "
            f"{self.pss_mib / self.instances:.1f} each; in {self.seconds:.0f} s "
            f"{self.apps_cpu_s:.2f} s of processor for all of them, {self.host_cpu_s:.2f} s for "
            "the host"
        )


def deployed(server: RunningSubhosting, count: int) -> list[str]:
    """Deploy `count` apps one after the other and return their hosts."""
    project = server.new_project()["id"]
    return [server.deployed(project, {"main.ts": HELLO})["domains"][0] for _ in range(count)]


def woken(server: RunningSubhosting, hosts: list[str]) -> None:
    """Ask each app once, and wait until all of them live."""
    for host in hosts:
        assert server.get(host).text == "hello"
    wait_until(lambda: len(server.instances()) == len(hosts), f"{len(hosts)} live instances")


def idle(server: RunningSubhosting, *, seconds: float) -> Idle:
    """Watch all instances while nobody asks for them."""
    assert server.host is not None
    pids = [each for pid in server.instances() for each in _with_what_stands_around(pid, server)]
    before, host_before = sum(map(_cpu_s, pids)), _cpu_s(server.host.pid)
    began_s = SystemClock().monotonic_s()
    # Nothing can come from there: this is a wait without a poll.
    left, right = os.pipe()
    try:
        select.select([left], [], [], seconds)
    finally:
        os.close(left)
        os.close(right)
    return Idle(
        instances=len(server.instances()),
        seconds=SystemClock().monotonic_s() - began_s,
        pss_mib=sum(map(_pss_mib, pids)),
        apps_cpu_s=sum(map(_cpu_s, pids)) - before,
        host_cpu_s=_cpu_s(server.host.pid) - host_before,
    )


def _with_what_stands_around(pid: int, server: RunningSubhosting) -> list[int]:
    """Return a Deno process and those between it and the host, such as bubblewrap."""
    assert server.host is not None
    found = [pid]
    while (parent := _parent(found[-1])) not in {0, 1, server.host.pid}:
        found.append(parent)
    return found


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
