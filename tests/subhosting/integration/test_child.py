"""Children of the host: heard to the end, ended with all below them, never left behind."""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import pytest
import uvloop

from bot.subhosting.host.child import Child, start_child
from bot.subhosting.sandbox.confinement import Command
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.view import ProcessLimits
from tests.subhosting.server import command_line

WAITS = "import sys; print('up', flush=True); sys.stdin.close(); import signal; signal.pause()"


def command(program: str) -> Command:
    return Command(
        argv=(sys.executable, "-c", program),
        environment={"OWN": "value"},
        limits=ProcessLimits(open_files=99),
        level=Level.L0,
    )


class Heard:
    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []
        self.anything = asyncio.Event()

    def feed(self, fd: int, data: bytes) -> None:
        self.pieces.append((fd, data))
        self.anything.set()

    def on(self, fd: int) -> bytes:
        return b"".join(data for heard, data in self.pieces if heard == fd)


def in_loop(work: Callable[[Heard], Awaitable[None]]) -> Heard:
    async def whole() -> Heard:
        heard = Heard()
        await work(heard)
        return heard

    return uvloop.run(whole())


def test_everything_it_says_is_heard_and_its_code_is_known(tmp_path: Path) -> None:
    # Its limits come a moment after its start.
    program = """import os, resource, sys, time
until = time.monotonic() + 10
while resource.getrlimit(resource.RLIMIT_NOFILE) != (99, 99) and time.monotonic() < until:
    os.sched_yield()
print(os.getcwd(), os.environ["OWN"], len(os.environ), resource.getrlimit(resource.RLIMIT_NOFILE))
print("bad", file=sys.stderr)
sys.exit(7)"""
    ends: list[bool] = []

    async def work(heard: Heard) -> None:
        def ending() -> None:
            ends.append(Path(f"/proc/{child.pid}/stat").exists())

        child = await start_child(command(program), tmp_path, heard.feed, ending=ending)
        await child.over.wait()
        assert await child.wait() == 7

    heard = in_loop(work)

    assert heard.on(1).decode().split()[:2] == [str(tmp_path), "value"]
    assert heard.on(1).decode().rstrip().endswith("(99, 99)")
    assert heard.on(2) == b"bad\n"
    assert ends == [True]


class Openers:
    """Threads that open and read a file again and again; `problems` is what went wrong."""

    def __init__(self) -> None:
        self.problems: list[OSError] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._open) for _ in range(3)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _open(self) -> None:
        while not self._over.is_set():
            try:
                with Path("/dev/zero").open("rb", buffering=0) as file:
                    file.read(1)
            except OSError as error:
                self.problems.append(error)
                return


def test_children_that_end_take_no_files_of_other_threads_along(tmp_path: Path) -> None:
    async def one(heard: Heard) -> None:
        child = await start_child(command("pass"), tmp_path, heard.feed)
        await child.over.wait()

    async def work(heard: Heard) -> None:
        for _ in range(8):
            await asyncio.gather(*(one(heard) for _ in range(8)))

    with Openers() as openers:
        in_loop(work)

    assert openers.problems == []


def test_both_outputs_together_keep_their_order(tmp_path: Path) -> None:
    program = "import os; [os.write(fd, b'%d' % fd) for fd in (1, 2, 2, 1)]"

    async def work(heard: Heard) -> None:
        child = await start_child(command(program), tmp_path, heard.feed, together=True)
        await child.over.wait()

    assert in_loop(work).on(1) == b"1221"


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    program = f"""import subprocess, sys
subprocess.Popen([sys.executable, "-c", {WAITS!r}], stdout=sys.stdout)"""

    async def work(heard: Heard) -> None:
        child = await start_child(command(program), tmp_path, heard.feed)
        # The pipe closes only when the last one that holds it has ended.
        await asyncio.wait_for(child.over.wait(), 20)
        assert await child.wait() == 0

    in_loop(work)


@pytest.mark.parametrize(
    ("end", "code"),
    [(Child.terminate, -signal.SIGTERM), (Child.kill, -signal.SIGKILL)],
)
def test_it_is_ended_by_signals(tmp_path: Path, end: Callable[[Child], None], code: int) -> None:
    async def work(heard: Heard) -> None:
        child = await start_child(command(WAITS), tmp_path, heard.feed)
        await heard.anything.wait()
        end(child)
        assert await child.wait() == code
        end(child)  # harmless now

    in_loop(work)


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    async def work(heard: Heard) -> None:
        nothing = Command(argv=("/none",), environment={}, limits=ProcessLimits(), level=Level.L0)
        with pytest.raises(FileNotFoundError):
            await start_child(nothing, tmp_path, heard.feed)

    in_loop(work)


def test_a_cancelled_start_leaves_nothing_behind(tmp_path: Path) -> None:
    def alive() -> bool:
        return any(
            str(tmp_path) in command_line(int(entry.name))
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit()
        )

    async def work(heard: Heard) -> None:
        program = f"{WAITS} # {tmp_path}"
        starting = asyncio.ensure_future(start_child(command(program), tmp_path, heard.feed))
        await asyncio.sleep(0)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        assert not alive()

    in_loop(work)
