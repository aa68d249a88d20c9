"""Instances that are killed while many ask for them."""

import os
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Self

from bot.kernel.clock import SystemClock
from tests.subhosting.server import RunningSubhosting, wait_until

HELLO = "Deno.serve(() => new Response('hello'));"
_KILLS = 3
_CLIENTS = 6
# The longest that anybody may wait: back-off and a start, on a busy machine.
_MOST_S = 15.0


class Askers:
    """Clients that ask without a pause, each on a new connection, and count what they get."""

    def __init__(self, server: RunningSubhosting, host: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.longest_s = 0.0
        self._server, self._host = server, host
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(_CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until so many more were served."""
        wanted = self.statuses[200] + more
        wait_until(lambda: self.statuses[200] >= wanted, f"{more} more answers")

    def _ask(self) -> None:
        clock = SystemClock()
        while not self._stop.is_set():
            began_s = clock.monotonic_s()
            status = self._server.get(self._host).status
            with self._lock:
                self.statuses[status] += 1
                self.longest_s = max(self.longest_s, clock.monotonic_s() - began_s)


def test_an_instance_killed_under_load_is_started_again_and_nobody_hangs(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        project = server.new_project()["id"]
        host = server.deployed(project, {"main.ts": HELLO})["domains"][0]
        with Askers(server, host) as askers:
            for _ in range(_KILLS):
                askers.wait_for(50)
                for pid in server.instances():
                    os.kill(pid, signal.SIGKILL)
            askers.wait_for(50)

        assert server.get(host).text == "hello"
        # What was under way when it died is told so; everything else waited and was served.
        assert set(askers.statuses) <= {200, 502}
        assert askers.statuses[502] <= _KILLS * _CLIENTS
        assert askers.longest_s < _MOST_S
