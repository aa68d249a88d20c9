"""A worker as a real process, and the inbox as the web process has it."""

import functools
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dbos import DBOSClient

from bot.adapters.engine import identities, schema
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.wake import ring
from bot.adapters.storage import connect, deliveries
from bot.kernel.runtime_dir import runtime_directory
from bot.ports.inbox import Received
from tests.fakes.clock import NOON
from tests.fakes.deliveries import PUSHED, key


def delivery(guid: str, *queued: tuple[str, str, int], body: bytes | None = None) -> Received:
    """Return a delivery that leads to deployments (id, preview, generation)."""
    return Received(
        key=key(guid),
        event_name="push",
        body=json.dumps(queued).encode() if body is None else body,
        verdict=PUSHED,
        received_at=NOON,
    )


class Worker:
    """A started `program.py`."""

    def __init__(
        self,
        data_dir: Path,
        road: str,
        *,
        polling_s: float = 1,
        keep_days: float = 30,
        database_url: str | None = None,
    ) -> None:
        self.seen: list[str] = []
        arguments = [str(data_dir), road, str(polling_s), str(keep_days)]
        arguments += [] if database_url is None else [database_url]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.engine.program", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, line: str) -> list[str]:
        """Return what it says from here up to and with `line`."""
        assert self._process.stdout is not None
        lines: list[str] = []
        while line not in lines:
            said = self._process.stdout.readline()
            assert said, f"the worker ended before {line!r}; it said {self.seen}"
            lines.append(said.rstrip("\n"))
            self.seen.append(lines[-1])
        return lines

    def until_said(self, end: str, times: int) -> list[str]:
        """Read until so many lines end so, and return whose, sorted; earlier ones count."""
        assert self._process.stdout is not None
        while len(found := [line for line in self.seen if line.endswith(end)]) < times:
            said = self._process.stdout.readline()
            assert said, f"the worker ended with {len(found)} {end!r}; it said {self.seen}"
            self.seen.append(said.rstrip("\n"))
        return sorted(line.removesuffix(end) for line in found)

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def kill_and_hear(self) -> None:
        """Kill it, and add what it said until then to what was seen."""
        self.kill()
        assert self._process.stdout is not None
        self.seen += self._process.stdout.read().splitlines()

    def ask_to_stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        return self._process.wait(timeout=30)

    def close(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start workers of the same data directory."""
    with ExitStack() as stack:

        def started(road: str, *, polling_s: float = 1, keep_days: float = 30) -> Worker:
            worker = Worker(tmp_path, road, polling_s=polling_s, keep_days=keep_days)
            stack.callback(worker.close)
            return worker

        yield started
        stack.callback(shutil.rmtree, runtime_directory(tmp_path))


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[connect.Engines]:
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    schema.prepare(url)
    engines = connect.engines(url)
    yield engines
    engines.dispose()


@pytest.fixture
def inbox(engines: connect.Engines, tmp_path: Path) -> DurableInbox:
    return DurableInbox(
        read=engines.read,
        write=engines.write,
        deliveries=deliveries,
        wake=functools.partial(ring, identities.bell_path(tmp_path)),
    )


@pytest.fixture
def client(engines: connect.Engines) -> DBOSClient:
    return DBOSClient(system_database_engine=engines.read)


@pytest.fixture
def go(tmp_path: Path) -> Callable[[], None]:
    """Let roads that wait at their second step go on."""
    return (tmp_path / "go").touch


@pytest.fixture
def short_path(tmp_path: Path) -> Iterator[Path]:
    """A path that a unix socket may have, wherever pytest puts its folders."""
    folder = runtime_directory(tmp_path)
    yield folder / "wake.sock"
    shutil.rmtree(folder)
