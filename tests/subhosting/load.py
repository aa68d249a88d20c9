"""Many deployments from several clients at once, and a control API that dies in the middle."""

import contextlib
import http.client
import itertools
import os
import secrets
import signal
import statistics
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.kernel.clock import SystemClock
from bot.subhosting.store import content
from bot.subhosting.store.blobs import BlobStore
from bot.subhosting.store.engine import Database
from bot.subhosting.store.tables import deployments
from tests.subhosting.server import Answer, RunningSubhosting, wait_until

FILES = 20
# Sleeping instances and no refusals: this is about the control API.
SETTINGS: dict[str, Any] = {"live_instances": 8, "limits": {"deployments_per_hour": 1_000_000}}

_DROPPED = (ConnectionError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Made:
    """What a client knows of one deployment: its key, its answer, what it took to get it."""

    key: str
    answer: Answer
    began_s: float
    ended_s: float
    attempts: int

    @property
    def took_ms(self) -> float:
        return (self.ended_s - self.began_s) * 1000


@dataclass(slots=True)
class Load:
    """`count` deployments of one app from `clients` threads; each changes one of its files."""

    server: RunningSubhosting
    count: int
    clients: int
    made: list[Made] = field(default_factory=list)
    project: str = ""
    _outage: tuple[float, float] = 0, 0  # from the kill until requests are taken again
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run_with_a_kill(self) -> None:
        """Kill the control API with -9 when half of the deployments were answered."""
        self.project = self.server.new_project()["id"]
        with ThreadPoolExecutor(self.clients) as pool:
            ends = [pool.submit(self._client) for _ in range(self.clients)]
            wait_until(
                lambda: len(self.made) * 2 >= self.count or any(end.done() for end in ends),
                "half of the deployments",
                within_s=600,
            )
            killed_s = SystemClock().monotonic_s()
            self._kill_api()
            self.server.start_api()
            self._outage = killed_s, SystemClock().monotonic_s()
        for end in ends:
            end.result()

    def assert_nothing_was_lost(self) -> None:
        """Every answered deployment is there, once for its key, with all its files."""
        assert [each.answer for each in self.made if each.answer.status != 200] == []
        answered = {each.key: each.answer.json["id"] for each in self.made}
        assert len(answered) == len(set(answered.values())) == self.count
        for deployment in answered.values():
            assert self.server.call("GET", f"/v1/deployments/{deployment}").status == 200
        assert self._stored() == answered

    def report(self) -> str:
        """Return the figures of POST /deployments, apart for those that met the outage."""
        died_s, back_s = self._outage
        met = [each for each in self.made if each.began_s < back_s and each.ended_s > died_s]
        again = sum(each.attempts > 1 for each in met)
        return (
            f"POST /deployments: {self.count} of {FILES} files, {self.clients} clients\n"
            f"all: {_figures(self.made)}\n"
            f"not in the outage: {_figures([each for each in self.made if each not in met])}\n"
            f"outage of {back_s - died_s:.1f} s: met by {len(met)}, {again} of them sent again"
        )

    def _kill_api(self) -> None:
        """Kill the master and, before it could end by itself, the worker that answers."""
        assert self.server.api is not None
        pid = self.server.api.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert workers
        self.server.stop_api(signal.SIGKILL)
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(worker), signal.SIGKILL)

    def _client(self) -> None:
        while True:
            with self._lock:
                number = next(self._numbers)
            if number >= self.count:
                return
            self.made.append(self._deploy(number))

    def _deploy(self, number: int) -> Made:
        assets = _app(number)
        key = secrets.token_hex(8)
        clock = SystemClock()
        began_s = clock.monotonic_s()
        for attempt in itertools.count(1):
            try:
                answer = self.server.deploy(self.project, assets, headers={"Idempotency-Key": key})
            except _DROPPED:
                continue
            return Made(key, answer, began_s, clock.monotonic_s(), attempt)
        raise AssertionError

    def _stored(self) -> dict[str, str]:
        """Return key and id of every stored deployment whose files are all there."""
        config = self.server.config
        folder = BlobStore(config.blobs_dir).folder(self.project)
        contents = {entry.name for entry in folder.iterdir()}
        query = sa.select(deployments).where(deployments.c.project_id == self.project)
        database = Database(config.database)
        try:
            with database.reading() as connection:
                rows = connection.execute(query).all()
                manifests = {
                    row.id: content.load_manifest(connection, self.project, row.manifest_digest)
                    for row in rows
                }
        finally:
            database.close()
        assert len(rows) == self.count
        return {
            row.idempotency_key: row.id
            for row in rows
            if len(files := manifests[row.id].files) == FILES
            and contents.issuperset(files.values())
        }


def _app(number: int) -> dict[str, object]:
    main = 'Deno.serve(() => new Response("hello"));'
    others = {f"lib/{place}.ts": f"// {place}\n" + "x;\n" * 600 for place in range(1, FILES)}
    changed = f"lib/{1 + number % (FILES - 1)}.ts"
    return {"main.ts": main, **others, changed: f"// deployment {number}\n" + "y;\n" * 600}


def _figures(made: Sequence[Made]) -> str:
    times = [each.took_ms for each in made]
    p50 = statistics.median(times)
    p99 = statistics.quantiles(times, n=100)[98]
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, p99/p50 {p99 / p50:.1f}, max {max(times):.0f} ms"
