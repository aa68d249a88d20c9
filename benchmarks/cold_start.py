"""A first request to an app that sleeps, beside a bare `deno run`: `make bench-coldstart`.

Both begin with nothing and end with the first byte of an answer: the router's with the request
that wakes the app, the bare one with the start of the process. They take turns, so that whatever
else the machine does hits both alike. Every isolation level that this machine reaches has a server
and a line of its own. Options: --rounds 40 --most 2.0 (fail above this ratio).
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bot.subhosting.config import deno_beside_python
from bot.subhosting.sandbox.level import Level
from tests.subhosting.server import RunningSubhosting, wait_until

HELLO = "Deno.serve(() => new Response('hello'));"
# The first ones fill caches of code.
_WARM_UPS = 4
_BARE = "bare deno run"
_PATIENCE_S = 20.0


class Bare:
    """`deno run` of the same file with every permission, a warm cache and nothing around it."""

    def __init__(self, deno: Path, folder: Path) -> None:
        """Put the app into `folder`."""
        folder.mkdir()
        (folder / "main.ts").write_text(HELLO)
        self._argv = [str(deno), "run", "--quiet", "--no-prompt", "--no-lock", "-A", "main.ts"]
        self._folder = folder

    def seconds(self) -> float:
        """Start it, wait for its first byte, end it."""
        place = self._folder / "socket"
        environment = {
            "PATH": os.environ["PATH"],
            "DENO_DIR": str(self._folder / "cache"),
            "DENO_NO_UPDATE_CHECK": "1",
            "DENO_SERVE_ADDRESS": f"unix:{place}",
            "NO_COLOR": "1",
        }
        place.unlink(missing_ok=True)
        began = time.perf_counter()
        process = subprocess.Popen(self._argv, cwd=self._folder, env=environment)
        try:
            with _connected(str(place), began) as connection:
                _first_byte(connection, "localhost")
                return time.perf_counter() - began
        finally:
            process.kill()
            process.wait()


class Sleeping:
    """Two apps of a server that lets one live at a time: asking for one puts the other to rest."""

    def __init__(self, server: RunningSubhosting) -> None:
        """Deploy them."""
        self._server = server
        project = server.new_project()["id"]
        made = [server.deployed(project, {"main.ts": HELLO}) for _ in range(2)]
        self._apps = [(each["id"], each["domains"][0]) for each in made]

    def seconds(self) -> float:
        """Ask the app that sleeps."""
        (identifier, host), other = self._apps
        self._apps = [other, (identifier, host)]
        wait_until(lambda: not self._processes_of(identifier), "the app to sleep")
        with self._server.connect() as connection:
            began = time.perf_counter()
            _first_byte(connection, host)
            return time.perf_counter() - began

    def _processes_of(self, identifier: str) -> list[int]:
        return [pid for pid in self._server.instances() if identifier in _command(pid)]


def main() -> None:
    """Measure and print; the exit code says whether every level kept the ratio."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-cold-") as text, ExitStack() as running:
        folder = Path(text)
        ways: dict[str, Callable[[], float]] = {}
        for level in Level:
            server = _server(folder, level)
            running.enter_context(server)
            if server.call("GET", "/v1/isolation").json["level"] == level.name:
                ways[f"at {level.name}"] = Sleeping(server).seconds
        deno = deno_beside_python()
        ways[_BARE] = Bare(deno, folder / "bare").seconds
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(_WARM_UPS + options.rounds):
            for name, measured in ways.items():
                seconds = measured()
                if number >= _WARM_UPS:
                    times[name].append(seconds)
    sys.exit(_report(times, options.most))


def _server(folder: Path, level: Level) -> RunningSubhosting:
    data_dir = folder / level.name / "data"
    data_dir.parent.mkdir()
    return RunningSubhosting(data_dir, live_instances=1, highest_isolation=level.name)


def _report(times: dict[str, list[float]], most: float) -> int:
    medians = {name: statistics.median(each) for name, each in times.items()}
    bare = medians[_BARE]
    for name, each in times.items():
        low, high = min(each) * 1000, max(each) * 1000
        ratio = medians[name] / bare
        spread = f"({low:.1f}-{high:.1f})"
        print(f"{name:<14} {medians[name] * 1000:6.1f} ms   {ratio:4.2f}   {spread}")
    return 0 if max(medians.values()) <= most * bare else 1


def _connected(place: str, began: float) -> socket.socket:
    """Return a connection to a process that is starting."""
    while time.perf_counter() - began < _PATIENCE_S:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(place)
        except OSError:
            connection.close()
            time.sleep(0.0005)
        else:
            return connection
    raise TimeoutError("deno does not serve")


def _first_byte(connection: socket.socket, host: str) -> None:
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"it answered {answer[:200]!r}")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-coldstart", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--most", type=float, default=2.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
