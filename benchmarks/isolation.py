"""What each isolation level costs a cold start: spawn to first byte, side by side.

Rounds are interleaved, so that a busy machine is busy for all. `ARGS` are `--rounds N`.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvloop

from bot.subhosting.config import RuntimeLimits, SubhostingConfig
from bot.subhosting.host.child import start_child
from bot.subhosting.host.probe import reach
from bot.subhosting.host.protection import limits_of
from bot.subhosting.sandbox import cgroups
from bot.subhosting.sandbox.argv import Sandbox, run_argv, run_environment
from bot.subhosting.sandbox.cgroups import Cgroups
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.views import run_view

HELLO = 'Deno.serve(() => new Response("hello"));'
GIVE_UP = timedelta(seconds=30)


@dataclass(frozen=True)
class Way:
    """A level that this machine reaches."""

    name: str
    confinement: Confinement


async def start_ms(way: Way, config: SubhostingConfig, folder: Path) -> float:
    """Return how long a hello app takes from its start to its first answer."""
    socket = folder / "socket" / "s"
    sandbox = Sandbox(
        deno=config.deno,
        owner=way.name,
        source=folder / "src",
        cache=folder / f"cache-{way.name}",
        entry_point="main.ts",
        socket=socket,
        heap_mib=128,
    )
    shutil.rmtree(socket.parent, ignore_errors=True)
    limits = limits_of(RuntimeLimits(), sandbox.heap_mib)
    command = way.confinement.command(
        run_argv(sandbox), run_view(sandbox, limits), run_environment(sandbox)
    )
    began = time.perf_counter()
    child = await start_child(command, sandbox.source, lambda _, __: None)
    await asyncio.wait_for(first_answer(socket), GIVE_UP.total_seconds())
    took_ms = (time.perf_counter() - began) * 1000
    child.kill()
    await child.over.wait()
    return took_ms


async def first_answer(socket: Path) -> None:
    """Return as soon as the app answers."""
    waiting = True
    while waiting:
        await asyncio.sleep(0.0005)
        waiting = not await answers(socket)


async def answers(socket: Path) -> bool:
    """Ask the app for its page."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read(64)
    writer.close()
    return answer.startswith(b"HTTP/1.1 200")


async def ways(config: SubhostingConfig, folder: Path, groups: Cgroups | None) -> list[Way]:
    """Return the levels that this machine reaches, each as the highest."""
    found: list[Way] = []
    without = cgroups.Unusable(reason="left out", fix="")
    for level in Level:
        limited = SubhostingConfig(data_dir=config.data_dir, highest_isolation=level.name)
        isolation, confinement = await reach(limited, folder / "probe", groups or without)
        if isolation.level is level:
            found.append(Way(level.name, confinement))
    return found


async def measure(rounds: int, folder: Path) -> None:
    """Print medians and their ratio to L0."""
    config = SubhostingConfig(data_dir=folder / "data")
    (folder / "src").mkdir()
    (folder / "src" / "main.ts").write_text(HELLO, encoding="utf-8")
    groups = cgroups.found("previewbot-benchmark")
    compared = await ways(config, folder, groups if isinstance(groups, Cgroups) else None)
    times: dict[str, list[float]] = {way.name: [] for way in compared}
    for number in range(rounds + 1):
        for way in compared:
            took_ms = await start_ms(way, config, folder)
            if number:  # the first one fills Deno's cache
                times[way.name].append(took_ms)
    lowest = statistics.median(times[compared[0].name])
    print("level  median ms   min ms   ratio to L0   added ms")
    for name, each in times.items():
        middle = statistics.median(each)
        print(
            f"{name:<5}  {middle:9.1f}  {min(each):7.1f}  {middle / lowest:12.2f}"
            f"  {middle - lowest:9.1f}"
        )
    if isinstance(groups, Cgroups):
        groups.close()


def main() -> None:
    """Measure on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="previewbot-isolation-") as folder:
        uvloop.run(measure(rounds, Path(folder)))


if __name__ == "__main__":
    main()
