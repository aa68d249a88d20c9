"""Every level on a real server: apps run, and are held as that level says."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.subhosting.host_link import stored_isolation
from bot.subhosting.sandbox import cgroups
from bot.subhosting.sandbox.cgroups import Unusable
from tests.subhosting.server import Json, RunningSubhosting

HELLO = 'Deno.serve(() => new Response("hello"));'
HOG = """Deno.serve(() => {
    const all = [];
    for (let i = 0; i < 100; i++) all.push(new Uint8Array(1 << 23).fill(1));
    return new Response("had " + all.length);
});"""

LEVELS = [
    "L0",
    pytest.param("L1", marks=pytest.mark.needs_system_part("landlock")),
    pytest.param("L2", marks=pytest.mark.needs_system_part("bubblewrap")),
    pytest.param("L3", marks=pytest.mark.needs_system_part("bubblewrap")),
]


@pytest.fixture(scope="module", params=LEVELS)
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def held(level: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp(level) / "data"
    with RunningSubhosting(data_dir, highest_isolation=level) as running:
        yield running


def test_the_level_is_reached_and_an_app_serves(held: RunningSubhosting, level: str) -> None:
    live = held.deployed(held.new_project()["id"], {"main.ts": HELLO})

    assert live["status"] == "success", held.build_log(live["id"])
    assert held.get(live["domains"][0]).text == "hello"
    found = stored_isolation(held.data_dir)
    assert found is not None
    assert found["level"] == level


def test_the_api_tells_the_level(held: RunningSubhosting, level: str) -> None:
    told = held.call("GET", "/v1/isolation").json

    assert (told["level"], told["minimum"]) == (level, "L0")
    assert "deno-permissions" in told["layers"]


def test_a_deployment_that_asks_for_more_is_not_run(held: RunningSubhosting, level: str) -> None:
    wish = {"minimum": "L3"}
    made = held.deployed(held.new_project()["id"], {"main.ts": HELLO}, isolation=wish)

    last = held.build_log(made["id"])[-1]["message"]

    assert made["status"] == ("success" if level == "L3" else "failed")
    assert level == "L3" or last.startswith(
        "It is not run: it may run at isolation level L3 or higher only"
    )


def test_an_app_that_ends_is_started_again(held: RunningSubhosting) -> None:
    app = (
        'Deno.serve((r) => { if (r.url.endsWith("x")) Deno.exit(3); return new Response("y"); });'
    )
    host = held.deployed(held.new_project()["id"], {"main.ts": app})["domains"][0]

    broken = held.get(host, "/x")
    after = held.get(host)

    assert (broken.status, after.text) == (502, "y")


def test_an_app_hears_that_it_must_end(level: str, tmp_path: Path) -> None:
    app = """Deno.addSignalListener("SIGTERM", () => { console.log("heard it"); Deno.exit(0); });
    Deno.serve(() => new Response("hello"));"""
    with RunningSubhosting(tmp_path / "data", highest_isolation=level) as server:
        server.deployed(server.new_project()["id"], {"main.ts": app})
        server.stop_host()
        [log] = server.data_dir.glob("deployments/*/logs/app.log")

        assert "heard it" in log.read_text()


def test_memory_is_limited_for_what_no_heap_counts(level: str, tmp_path: Path) -> None:
    runtime = {"heap_mib": 100, "beside_heap_bytes": 100 * 1024 * 1024}
    settings = {"highest_isolation": level, "runtime": runtime}
    with RunningSubhosting(tmp_path / "data", **settings) as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": HOG})["domains"][0]
        answer = server.get(host)
        found = server.call("GET", "/v1/isolation").json

    has_groups = "control-groups" in found["layers"]
    assert answer.status == 502
    assert has_groups != ("control-groups" in [each["layer"] for each in found["missing"]])


def test_a_stopped_host_leaves_no_control_group(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", highest_isolation="L0") as server:
        server.deployed(server.new_project()["id"], {"main.ts": HELLO})
        groups = cgroups.found(server.runtime_dir.name)
        server.stop_host()

        left = [] if isinstance(groups, Unusable) else groups.folders

        assert [folder for folder in left if folder.exists()] == []


@pytest.mark.needs_system_part("bubblewrap")
def test_each_deployment_has_a_user_of_its_own(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", highest_isolation="L2") as server:
        project = server.new_project()["id"]
        for _ in range(2):
            server.deployed(project, {"main.ts": HELLO})
        users = {Path(f"/proc/{pid}").stat().st_uid for pid in server.instances()}

    ours = os.getuid()
    assert len(users) == (2 if ours == 0 else 1)
    assert (ours in users) == (ours != 0)


def test_a_server_below_its_minimum_runs_nothing(tmp_path: Path) -> None:
    settings = {"highest_isolation": "L0", "min_isolation": "L1"}
    with RunningSubhosting(tmp_path / "data", **settings) as server:
        made: Json = server.deployed(server.new_project()["id"], {"main.ts": HELLO})
        told = server.call("GET", "/v1/isolation").json
        log = server.log.read_text()

    assert made["status"] == "failed"
    assert (told["level"], told["minimum"]) == ("L0", "L1")
    assert "isolation_too_low" in log


def test_readiness_names_the_level(held: RunningSubhosting, level: str) -> None:
    ready = held.call("GET", "/readyz")

    assert ready.status == 200
    assert json.loads(ready.body) == {"status": "ready", "isolation": level}
