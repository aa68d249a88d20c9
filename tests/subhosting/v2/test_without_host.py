"""What API v2 answers while nobody builds, and what becomes of it later."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.subhosting.server import RunningSubhosting
from tests.subhosting.v2.client import deploy, ended, new_app, says

# Half the threads of the API.
PLACES = 8


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[RunningSubhosting]:
    """A server whose host process is away."""
    with RunningSubhosting(tmp_path / "data") as server:
        server.stop_host()
        yield server


def test_a_build_cancelled_in_the_queue_never_begins(alone: RunningSubhosting) -> None:
    made = deploy(alone, new_app(alone)["id"], says("x")).json
    path = f"/v2/revisions/{made['id']}"

    asked = alone.call("POST", f"{path}/cancel", {})
    alone.start_host()
    over = ended(alone, made["id"])

    assert (asked.json["status"], over["status"]) == ("queued", "failed")
    assert over["failure_reason"] == "cancelled"
    assert over["cancellation_requested_at"] == asked.json["cancellation_requested_at"]
    assert alone.call("GET", path).json["timelines"] == []


def test_streams_never_hold_more_than_half_the_threads(alone: RunningSubhosting) -> None:
    made = deploy(alone, new_app(alone)["id"], says("x")).json
    path = f"/v2/revisions/{made['id']}/progress"
    headers = {"Authorization": f"Bearer {alone.token}", "Accept": "text/event-stream"}
    with ExitStack() as held:
        for _ in range(PLACES):
            connection = http.client.HTTPConnection("127.0.0.1", alone.api_port, timeout=20)
            held.enter_context(closing(connection))
            connection.request("GET", path, headers=headers)
            first = held.enter_context(connection.getresponse()).readline()
            assert first.startswith(b'data: {"queued":{"status":"running"')

        refused = alone.call("GET", path)
        others = alone.call("GET", "/v2/apps")

    assert (refused.status, refused.json["code"]) == (503, "TOO_MANY_STREAMS")
    assert refused.headers["retry-after"]
    assert others.status == 200
