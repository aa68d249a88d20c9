"""The host as a process: killed, restarted, away, stopped."""

import signal
from pathlib import Path

import pytest

from tests.subhosting.integration.test_create import HELLO
from tests.subhosting.server import CANARY, RunningSubhosting, deno_pids, wait_until

SLOW = """Deno.serve(async () => {
    console.log("in flight");
    await new Promise((resolve) => setTimeout(resolve, 500));
    return new Response("slow but whole");
});"""

_WAY_OUT = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NODE_USE_ENV_PROXY"})


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_killed_host_takes_its_instances_along_and_serves_again_after_a_restart(
    data_dir: Path,
) -> None:
    with RunningSubhosting(data_dir) as server:
        project = server.new_project()
        host = server.deployed(project["id"], {"main.ts": HELLO})["domains"][0]
        assert len(server.instances()) == 1

        server.stop_host(signal.SIGKILL)
        wait_until(lambda: not server.instances(), "the end of Deno", within_s=5)
        server.start_host()
        none_before = server.instances()
        answer = server.get(host).text

        assert none_before == []
        assert answer == "hello"
        assert len(server.instances()) == 1


def test_a_deployment_made_while_the_host_is_away_is_built_when_it_is_back(
    data_dir: Path,
) -> None:
    with RunningSubhosting(data_dir) as server:
        project = server.new_project()
        server.stop_host()

        made = server.deploy(project["id"], {"main.ts": HELLO})
        pending = server.call("GET", f"/v1/deployments/{made.json['id']}").json["status"]
        server.start_host()
        log = server.build_log(made.json["id"])

        assert (made.status, pending) == (200, "pending")
        assert "Serving after" in log[-1]["message"]
        host = f"{project['name']}-{made.json['id']}.localhost"
        assert server.get(host).text == "hello"


def test_what_changed_while_the_host_was_away_is_true_when_it_is_back(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        project = server.new_project()
        kept = server.deployed(project["id"], {"main.ts": HELLO})
        gone = server.deployed(project["id"], {"main.ts": HELLO})
        server.stop_host()

        server.call("PUT", f"/v1/deployments/{kept['id']}/domains/moved.localhost")
        server.call("DELETE", f"/v1/deployments/{gone['id']}")
        server.start_host()

        assert server.get("moved.localhost").text == "hello"
        assert server.get(gone["domains"][0]).status == 404
        wait_until(
            lambda: not (data_dir / "deployments" / gone["id"]).exists(), "removal of its files"
        )


def test_a_visitor_who_comes_during_a_restart_waits(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": HELLO})["domains"][0]
        server.stop_host()
        with server.connect() as early:
            early.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            server.start_host()
            assert early.makefile("rb").read().endswith(b"hello")


def test_a_stopping_host_ends_requests_in_flight_and_leaves_nothing(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": SLOW})["domains"][0]
        with server.connect() as visitor:
            visitor.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            wait_until(lambda: b"in flight" in _app_log(data_dir), "the request at the app")
            server.stop_host()
            answer = visitor.makefile("rb").read()

    assert answer.endswith(b"slow but whole")
    assert b"HTTP/1.1 200" in answer
    assert deno_pids(data_dir) == []


def test_running_instances_are_written_down(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        server.deployed(server.new_project()["id"], {"main.ts": HELLO})
        pids = server.runtime_dir / "pids"

        # What is written down holds the one that runs the app, or is it.
        [written] = [int(file.name) for file in pids.iterdir()]
        assert written in ancestors(server.instances()[0])
        server.stop_host()
        assert list(pids.iterdir()) == []


def test_a_deployment_that_always_crashes_does_not_spin(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        # Serves the first time, when there is no marker yet, and never again.
        app = """if (localStorage.getItem("been")) throw new Error("never again");
        localStorage.setItem("been", "yes");
        Deno.serve(() => { setTimeout(() => Deno.exit(1), 0); return new Promise(() => {}); });"""
        host = server.deployed(server.new_project()["id"], {"main.ts": app})["domains"][0]

        pages = [server.get(host) for _ in range(4)]

        assert [page.status for page in pages] == [502] * 4
        assert "never again" in pages[-1].text
        assert "it exited before serving, with code 1" in pages[-1].text


def test_no_secret_reaches_an_app(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        server.deployed(server.new_project()["id"], {"main.ts": HELLO}, envVars={"OWN": "value"})
        [pid] = server.instances()
        process = Path(f"/proc/{pid}")
        command = (process / "cmdline").read_text()
        pairs = (process / "environ").read_text().rstrip("\0").split("\0")
        environment = dict(pair.split("=", 1) for pair in pairs)

    assert "deno" in command
    for secret in (server.token, CANARY):
        assert secret not in command
        assert secret not in str(environment)
    assert environment["OWN"] == "value"
    environment.pop("PWD", None)  # bubblewrap says where it starts
    # At L3 the way out is a proxy inside, without a password: nobody else is there.
    way_out = {name for name in environment if name.upper() in _WAY_OUT}
    assert "@" not in "".join(environment[name] for name in way_out)
    assert sorted(
        name for name in environment if not name.startswith("OTEL_") and name not in way_out
    ) == sorted(
        ["DENO_AUTO_SERVE", "DENO_DIR", "DENO_KV_REQUIRES_DISTRIBUTED_DATABASE",
         "DENO_NO_UPDATE_CHECK", "DENO_SERVE_ADDRESS", "DENO_TRUST_PROXY_HEADERS",
         "DENO_UNSTABLE_CRON_SOCK", "HOME", "LANG", "NO_COLOR", "OWN", "PATH"]
    )  # fmt: skip


def test_a_second_host_of_the_same_data_directory_waits_for_the_first(data_dir: Path) -> None:
    with RunningSubhosting(data_dir) as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": HELLO})["domains"][0]
        first = server.host
        assert first is not None
        first.send_signal(signal.SIGTERM)
        server.start_host()  # returns when it is ready, which is after the first ended

        assert first.wait(5) == 0
        assert first.stdout is not None
        first.stdout.close()
        assert server.get(host).text == "hello"


def ancestors(pid: int) -> list[int]:
    """Return a process and those above it."""
    found = [pid]
    while found[-1] > 1:
        stat = Path(f"/proc/{found[-1]}/stat").read_text()
        found.append(int(stat.rpartition(") ")[2].split()[1]))
    return found


def _app_log(data_dir: Path) -> bytes:
    return b"".join(log.read_bytes() for log in data_dir.glob("deployments/*/logs/app.log"))
