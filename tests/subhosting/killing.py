"""Apps that are killed again and again while many ask for them."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from bot.kernel.clock import SystemClock
from tests.subhosting.server import Json, RunningSubhosting, deno_pids, wait_until

HELLO = "Deno.serve(() => new Response('hello'));"

# Between two kills of the same app, so that a kill meets nobody whom the last one has met.
_SPARED_S = 1.0
_PAUSE = timedelta(milliseconds=20)


@dataclass(frozen=True, kw_only=True)
class App:
    """A deployment of `HELLO`."""

    id: str
    host: str


def deployed(server: RunningSubhosting, count: int) -> list[App]:
    """Deploy `count` apps, which all live then."""
    project = server.new_project()["id"]
    made: list[Json] = [server.deployed(project, {"main.ts": HELLO}) for _ in range(count)]
    return [App(id=each["id"], host=each["domains"][0]) for each in made]


def woken(server: RunningSubhosting, apps: Sequence[App]) -> None:
    """Ask each app once, and wait until all of them live and none that was replaced does."""
    for each in apps:
        assert server.get(each.host).text == "hello"
    wait_until(lambda: len(server.instances()) == len(apps), f"{len(apps)} live instances")


class Askers:
    """Clients that ask without a pause, each on a new connection, and count what they get.

    Whoever is told that the app died asks the same one again.
    """

    def __init__(self, server: RunningSubhosting, apps: Sequence[App], clients: int) -> None:
        self.statuses: Counter[int] = Counter()
        # Of those who were told so.
        self.next_statuses: Counter[int] = Counter()
        self.longest_s = 0.0
        self.kills = 0
        self._server, self._apps = server, apps
        self._served: Counter[App] = Counter()
        self._owed: Counter[App] = Counter()
        self._chance = random.Random(11)  # noqa: S311 - which app is next is no secret
        self._clock = SystemClock()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def kill(self, app: App) -> None:
        """Kill what serves an app, after a few more answers of it."""
        served = self._served[app] + len(self._threads)
        wait_until(lambda: self._served[app] >= served and not self._owed[app], "more answers")
        files = self._server.config.deployments_dir / app.id
        # The answers may be those of the one before.
        wait_until(lambda: deno_pids(files), "a process to kill")
        for pid in deno_pids(files):
            os.kill(pid, signal.SIGKILL)
        self.kills += 1

    def kill_at_random(self, within: timedelta) -> None:
        """Kill one app after the other, for so long."""
        until_s = self._clock.monotonic_s() + within.total_seconds()
        spared_until_s = dict.fromkeys(self._apps, 0.0)
        while (now_s := self._clock.monotonic_s()) < until_s:
            ready = [
                each
                for each in self._apps
                if spared_until_s[each] < now_s and not self._owed[each]
            ]
            if not ready:
                self._clock.sleep(_PAUSE)
                continue
            app = self._chance.choice(ready)
            self.kill(app)
            spared_until_s[app] = self._clock.monotonic_s() + _SPARED_S

    def report(self) -> str:
        """Return the figures in a line."""
        return (
            f"{self.kills} kills: {self.statuses.total()} requests, {dict(self.statuses)};"
            f" asked again {dict(self.next_statuses)}; the longest took {self.longest_s:.2f} s"
        )

    def _ask(self) -> None:
        chance = random.Random()  # noqa: S311 - the same
        while not self._stop.is_set():
            app = chance.choice(self._apps)
            if self._asked(app, self.statuses) == 502:
                with self._lock:
                    self._owed[app] += 1
                self._asked(app, self.next_statuses)
                with self._lock:
                    self._owed[app] -= 1

    def _asked(self, app: App, statuses: Counter[int]) -> int:
        began_s = self._clock.monotonic_s()
        status = self._server.get(app.host).status
        with self._lock:
            statuses[status] += 1
            self._served[app] += status == 200
            self.longest_s = max(self.longest_s, self._clock.monotonic_s() - began_s)
        return status
