"""Apps that take too much: what happens to them, to their visitors, and to their neighbours."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.kernel.clock import SystemClock
from tests.subhosting.server import Json, RunningSubhosting, command_line, wait_until

APP = """const held = [];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
Deno.serve(async (request) => {
    switch (new URL(request.url).pathname) {
        case "/buffers":
            for (;;) { held.push(new Uint8Array(8 << 20).fill(1)); await wait(10); }
        case "/heap": {
            const cells = [];
            for (;;) { cells.push(new Array(1_000_000).fill({})); }
        }
        case "/loop": for (;;) { held.length = 0; }
        case "/flood": {
            const line = "x".repeat(999);
            for (let i = 0; i < 30_000; i++) console.log(line);
            return new Response("flooded");
        }
        case "/stream": return new Response(new ReadableStream({
            async start(out) { await wait(4500); out.close(); } }));
        default: return new Response("well");
    }
});"""
NEIGHBOUR = "Deno.serve(() => new Response('not my fault'));"

RUNTIME = {
    "heap_mib": 96,
    "beside_heap_bytes": 160 << 20,
    "hang_after": 4,
    "log_bytes_per_s": 200_000,
    "log_file_bytes": 1 << 20,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("watched") / "data"
    with RunningSubhosting(data_dir, runtime=RUNTIME, warm_up=20) as running:
        yield running


@pytest.fixture
def app(server: RunningSubhosting) -> Json:
    return server.deployed(server.new_project()["id"], {"main.ts": APP})


def test_an_app_that_fills_its_memory_with_buffers_is_ended_and_told_why(
    server: RunningSubhosting, app: Json
) -> None:
    host = app["domains"][0]

    page = server.get(host, "/buffers")

    assert page.status == 502
    assert "ran out of memory: it used" in page.text
    assert " MB of 256 MB" in page.text
    assert server.get(host).text == "well"
    assert "MB of 256 MB; started again by its next request" in _log(server, app)


def test_a_full_heap_is_told_from_other_crashes(server: RunningSubhosting, app: Json) -> None:
    page = server.get(app["domains"][0], "/heap")

    assert page.status == 502
    assert "ran out of memory: V8&#x27;s heap may have 96 MB" in page.text
    assert server.get(app["domains"][0]).text == "well"


def test_an_endless_loop_is_ended_while_neighbours_are_served(
    server: RunningSubhosting, app: Json
) -> None:
    neighbour = server.deployed(server.new_project()["id"], {"main.ts": NEIGHBOUR})
    clock = SystemClock()
    with ThreadPoolExecutor() as pool:
        looping = pool.submit(server.get, app["domains"][0], "/loop")
        beside = server.get(neighbour["domains"][0]).text
        began_s = clock.monotonic_s()
        page = looping.result()
        took_s = clock.monotonic_s() - began_s

    assert beside == "not my fault"
    assert page.status == 502
    assert "its event loop was blocked for more than 4 s" in page.text
    assert took_s < 20
    assert server.get(app["domains"][0]).text == "well"


def test_a_slow_answer_is_no_hang(server: RunningSubhosting, app: Json) -> None:
    [before] = _pids(server, app)

    assert server.get(app["domains"][0], "/stream").status == 200
    assert _pids(server, app) == [before]


def test_a_flood_of_lines_blocks_nobody_and_is_kept_within_the_quota(
    server: RunningSubhosting, app: Json
) -> None:
    folder = server.data_dir / "deployments" / app["id"] / "logs"

    answer = server.get(app["domains"][0], "/flood").text
    wait_until(lambda: "log lines dropped: more than 200000" in _log(server, app), "the mark")

    assert answer == "flooded"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3 << 20


def test_a_crash_loop_is_slowed_down_and_says_when_it_is_tried_again(
    server: RunningSubhosting,
) -> None:
    dies = """Deno.serve(() => {
        setTimeout(() => Deno.exit(3), 0);
        return new Promise(() => {});
    });"""
    live = server.deployed(server.new_project()["id"], {"main.ts": dies})

    for _ in range(3):
        server.get(live["domains"][0])
    wait_until(lambda: "crash 2 in a row" in _log(server, live), "the second crash in the log")

    log = _log(server, live)
    assert "The app ended with code 3; started again by its next request, 0.1 s" in log
    assert "crash 2 in a row, started again by its next request, 0.2 s" in log


def test_an_instance_killed_under_load_is_replaced_and_nobody_hangs(
    server: RunningSubhosting, app: Json
) -> None:
    host = app["domains"][0]
    clock = SystemClock()
    stop = threading.Event()
    seen: list[tuple[int, float]] = []

    def visit() -> None:
        while not stop.is_set():
            began_s = clock.monotonic_s()
            status = server.get(host).status
            seen.append((status, clock.monotonic_s() - began_s))

    with ThreadPoolExecutor(8) as pool:
        visitors = [pool.submit(visit) for _ in range(8)]
        for _ in range(3):
            wait_until(lambda: _pids(server, app), "an instance")
            [pid] = _pids(server, app)
            _kill(pid)
            _wait_for_answers(seen, len(seen) + 40)
        stop.set()
        for visitor in visitors:
            visitor.result()

    assert {status for status, _ in seen} <= {200, 502}
    assert [status for status, _ in seen].count(502) <= 3 * 8
    assert max(took for _, took in seen) < 10
    assert server.get(host).text == "well"


def _wait_for_answers(seen: Sequence[object], count: int) -> None:
    wait_until(lambda: len(seen) > count, f"{count} answers")


def _pids(server: RunningSubhosting, app: Json) -> list[int]:
    return [pid for pid in server.instances() if app["id"] in command_line(pid)]


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _log(server: RunningSubhosting, app: Json) -> str:
    folder = server.data_dir / "deployments" / app["id"] / "logs"
    return "".join(file.read_text() for file in sorted(folder.glob("app.log*")))
