from pathlib import Path

import pytest

from tests.subhosting.edge.wire import APP, echoes, open_socket
from tests.subhosting.server import Json, RunningSubhosting, command_line, wait_until

HELLO = "Deno.serve(() => new Response('hello'));"


def test_beyond_the_limit_instances_rest_and_wake_when_somebody_asks(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", live_instances=2) as server:
        project = server.new_project()
        hosts = [
            server.deployed(project["id"], {"main.ts": HELLO})["domains"][0] for _ in range(5)
        ]

        wait_until(lambda: len(server.instances()) <= 2, "the rest of all but two")
        answers = [server.get(host).text for host in hosts]

        assert answers == ["hello"] * 5


@pytest.mark.parametrize("routers", [1, 2])
def test_an_unused_app_rests_and_wakes_while_one_with_a_stream_goes_on(
    tmp_path: Path, routers: int
) -> None:
    settings = {"routers": routers, "idle_after": 2, "scan_every": 0.2}
    with RunningSubhosting(tmp_path / "data", **settings) as server:
        project = server.new_project()["id"]
        rests, socketed, streams = [server.deployed(project, {"main.ts": APP}) for _ in range(3)]
        with server.connect() as web_socket, server.connect() as events:
            open_socket(web_socket, socketed["domains"][0])
            request = f"GET /events HTTP/1.1\r\nHost: {streams['domains'][0]}\r\n\r\n"
            events.sendall(request.encode())
            assert b"data: first" in events.recv(1000)
            held = _pids(server, socketed) + _pids(server, streams)
            assert server.get(rests["domains"][0]).text == "hello"

            wait_until(lambda: not _pids(server, rests), "the rest of the unused app")

            assert server.get(rests["domains"][0]).text == "hello"
            assert echoes(web_socket)
            assert _pids(server, socketed) + _pids(server, streams) == held
            assert len(held) == 2
        wait_until(lambda: not server.instances(), "the rest of all once the streams have ended")


def _pids(server: RunningSubhosting, deployment: Json) -> list[int]:
    return [pid for pid in server.instances() if deployment["id"] in command_line(pid)]
