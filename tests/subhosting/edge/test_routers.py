"""Two routers in processes of their own, and the one supervisor that they ask."""

import contextlib
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.subhosting.edge.wire import APP, echoing_sockets
from tests.subhosting.server import RunningSubhosting, wait_until

DIES = """Deno.serve(() => {
    console.log("farewell"); setTimeout(() => Deno.exit(3), 50); return new Promise(() => {});
});"""


LOOPS = """Deno.serve((request) => {
    if (new URL(request.url).pathname === "/loop") for (;;) {}
    return new Response("well");
});"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir: Path = tmp_path_factory.mktemp("routers") / "data"
    settings = {"analytics_every": 0.2, "runtime": {"hang_after": 3}}
    with RunningSubhosting(data_dir, routers=2, **settings) as server:
        yield server


def routers(server: RunningSubhosting) -> set[int]:
    """Return the pids of the host's routers."""
    assert server.host is not None
    found = set()
    for file in Path(f"/proc/{server.host.pid}/task").glob("*/children"):
        for pid in map(int, file.read_text().split()):
            with contextlib.suppress(OSError):  # it has just ended
                if b"router_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(pid)
    return found


def test_both_know_a_host_as_soon_as_the_api_has_answered(two: RunningSubhosting) -> None:
    project = two.new_project()
    first = two.deployed(project["id"], {"main.ts": "Deno.serve(() => new Response('first'));"})
    second = two.deployed(project["id"], {"main.ts": "Deno.serve(() => new Response('second'));"})
    host = f"{project['name']}.localhost"

    for deployment, words in ((first, "first"), (second, "second"), (first, "first")):
        two.call("PUT", f"/v1/deployments/{deployment['id']}/domains/{host}")
        # New connections, which the kernel spreads over both.
        assert {two.get(host).text for _ in range(12)} == {words}
    two.call("DELETE", f"/v1/deployments/{first['id']}/domains/{host}")
    assert {two.get(host).status for _ in range(12)} == {404}
    assert len(routers(two)) == 2


def test_websockets_and_crashes_go_through_them_as_well(two: RunningSubhosting) -> None:
    project = two.new_project()["id"]
    host = two.deployed(project, {"main.ts": APP})["domains"][0]
    dies = two.deployed(project, {"main.ts": DIES})

    page = two.get(dies["domains"][0])

    assert echoing_sockets(two, host, 20) == 20
    assert page.status == 502
    assert "code 3" in page.text
    assert "farewell" in page.text
    assert f'<a href="{two.api_url}/v1/deployments/{dies["id"]}/app_logs">' in page.text


def test_an_endless_loop_is_seen_through_them_as_well(two: RunningSubhosting) -> None:
    host = two.deployed(two.new_project()["id"], {"main.ts": LOOPS})["domains"][0]

    page = two.get(host, "/loop")

    assert page.status == 502
    assert "its event loop was blocked for more than 3 s" in page.text
    assert two.get(host).text == "well"


def test_what_they_count_is_the_deployment_s(two: RunningSubhosting) -> None:
    project = two.new_project()["id"]
    host = two.deployed(project, {"main.ts": APP})["domains"][0]
    since = datetime.now(UTC) - timedelta(hours=1)
    query = (
        f"since={since:%Y-%m-%dT%H:%M:%SZ}&until={since + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    )

    for _ in range(10):
        assert two.get(host).status == 200

    def counted() -> int:
        found = two.call("GET", f"/v1/projects/{project}/analytics?{query}").json
        at = [field["name"] for field in found["fields"]].index("requestCount")
        return sum(row[at] or 0 for row in found["values"])

    wait_until(lambda: counted() == 10, "ten requests")


def test_a_router_that_dies_is_replaced(two: RunningSubhosting) -> None:
    host = two.deployed(two.new_project()["id"], {"main.ts": APP})["domains"][0]
    [killed, other] = routers(two)

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: len(routers(two) - {killed}) == 2, "a new router")
    assert other in routers(two)
    assert {two.get(host).status for _ in range(12)} == {200}


def test_a_site_is_served_by_each_of_them(two: RunningSubhosting) -> None:
    files = {"index.html": "plain", "a.css": "a{}"}
    made = two.deployed(two.new_project()["id"], files, entryPointUrl="index.html")

    assert [two.get(made["domains"][0]).text for _ in range(10)] == ["plain"] * 10


def test_a_deleted_app_ends_its_requests_first(two: RunningSubhosting) -> None:
    slow = """Deno.serve(async () => {
        console.log("begun");
        await new Promise((resolve) => setTimeout(resolve, 600));
        return new Response("slow but whole");
    });"""
    deployment = two.deployed(two.new_project()["id"], {"main.ts": slow})
    log = two.data_dir / "deployments" / deployment["id"] / "logs" / "app.log"
    request = f"GET / HTTP/1.1\r\nHost: {deployment['domains'][0]}\r\nConnection: close\r\n\r\n"
    with two.connect() as visitor:
        visitor.sendall(request.encode())
        wait_until(lambda: log.exists() and b"begun" in log.read_bytes(), "the app to begin")
        two.call("DELETE", f"/v1/deployments/{deployment['id']}")
        answer = visitor.makefile("rb").read()

    assert answer.endswith(b"slow but whole")


def test_they_end_with_a_killed_host(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", routers=2) as server:
        pids = routers(server)
        server.stop_host(signal.SIGKILL)

        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "their end")
