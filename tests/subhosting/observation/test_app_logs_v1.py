"""v1's app log, written by real apps and read back."""

import json
import re
import signal
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.subhosting.observation.observing import (
    NDJSON,
    Talker,
    long_ago,
    messages,
    next_line,
    now,
    path_of,
    spelled,
    streaming,
)
from tests.subhosting.server import Json, RunningSubhosting, wait_until

# As many streams as `bot.subhosting.control` lets wait.
PLACES = 8


def test_a_line_has_time_level_message_and_region(talker: Talker) -> None:
    before = now()
    talker.say(log="to stdout", error="to stderr")
    talker.wait_for("to stderr")
    after = now()

    lines = talker.v1(since=long_ago()).json

    times = [line.pop("time") for line in lines]
    region = {"region": "gcp-europe-west3"}
    assert lines[0] == {"level": "error", "message": "to stderr", **region}
    assert lines[1] == {"level": "info", "message": "to stdout", **region}
    assert lines[2] == {"level": "info", "message": "booted", **region}
    assert spelled(before) < times[1] <= times[0] < spelled(after)
    assert all(re.fullmatch(r"[0-9T:-]{19}\.\d{6}Z", time) for time in times)


def test_filters_choose_lines(talker: Talker) -> None:
    talker.say(log="apple 100%", error="Apple pie")
    talker.wait_for("Apple pie")

    def found(**query: object) -> list[str]:
        return messages(talker.v1(order="asc", **query).json)

    everything = ["booted", "apple 100%", "Apple pie"]
    assert found(since=long_ago()) == everything
    assert found(since=long_ago(), level="error") == ["Apple pie"]
    assert found(since=long_ago(), level="error,info,debug") == everything
    assert found(since=long_ago(), level="warning") == []
    assert found(since=long_ago(), q="APPLE") == ["apple 100%", "Apple pie"]
    assert found(since=long_ago(), q="0%") == ["apple 100%"]
    assert found(since=long_ago(), region="gcp-us-east1,gcp-europe-west3") == everything
    assert found(since=long_ago(), region="gcp-us-east1") == []
    assert found(until=long_ago()) == []
    assert found(since=spelled(now() + timedelta(hours=1))) == []


def test_since_is_inclusive_and_until_is_not(talker: Talker) -> None:
    talker.say(log="middle")
    talker.wait_for("middle")
    [moment] = [line["time"] for line in talker.v1(since=long_ago(), q="middle").json]

    assert messages(talker.v1(since=moment, order="timeAsc").json) == ["middle"]
    assert messages(talker.v1(until=moment, order="timeDesc").json) == ["booted"]
    assert messages(talker.v1(since=moment.replace("Z", "+00:00")).json) == ["middle"]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_every_line_once(talker: Talker, order: str) -> None:
    talker.say(log="line #", times=25)
    talker.wait_for("line 24")

    answer = talker.v1(since=long_ago(), limit=10, order=order, q="line", level="info")
    found, sizes = messages(answer.json), [len(answer.json)]
    while "link" in answer.headers:
        assert answer.headers["link"].endswith('>; rel="next"')
        answer = talker.server.call("GET", path_of(answer.headers["link"]))
        found += messages(answer.json)
        sizes.append(len(answer.json))

    expected = [f"line {number}" for number in range(25)]
    assert found == (expected if order == "asc" else expected[::-1])
    assert sizes == [10, 10, 5]


def test_without_a_limit_a_page_has_a_hundred_lines(talker: Talker) -> None:
    talker.say(log="many #", times=120)
    talker.wait_for("many 119")

    assert len(talker.v1(since=long_ago()).json) == 100
    assert len(talker.v1(since=long_ago(), limit=10_000).json) == 121


def test_those_who_accept_json_alone_get_what_exists(talker: Talker) -> None:
    talker.say(log="there")
    talker.wait_for("there")

    assert messages(talker.v1().json) == ["there", "booted"]


def test_the_past_comes_as_lines_too(talker: Talker) -> None:
    talker.say(log="there")
    talker.wait_for("there")
    path = f"/v1/deployments/{talker.id}/app_logs?since={long_ago()}"

    answer = talker.server.call("GET", path, headers={"Accept": NDJSON})

    assert answer.headers["content-type"] == NDJSON
    assert messages([json.loads(line) for line in answer.text.splitlines()]) == ["there", "booted"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01"}, "since"),
        ({"until": "2026-13-01T00:00:00Z"}, "until"),
        ({"limit": "0"}, "limit"),
        ({"limit": "10001"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"order": "up"}, "order"),
        ({"sort": "level"}, "sort"),
        ({"level": "info,loud"}, "level"),
        ({"region": "mars"}, "region"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "\u00e4"}, "cursor"),
        ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OS4x"}, "cursor"),
        ({"q": "a\0b"}, "q"),
    ],
)
def test_a_wrong_parameter_is_named(talker: Talker, query: Json, named: str) -> None:
    answer = talker.v1(**query)

    assert answer.status == 400, answer
    assert answer.json["code"] == "invalidRequest"
    assert answer.json["message"].startswith(f"{named}: ")


def test_moments_far_away_are_no_problem(talker: Talker) -> None:
    talker.wait_for("booted")
    for query in (
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-12:00"},
        {"since": "1969-12-31T23:59:59.999999999Z"},
    ):
        assert messages(talker.v1(**query).json) == ["booted"]


def test_an_unknown_deployment_has_no_log(observed: RunningSubhosting) -> None:
    answer = observed.call("GET", "/v1/deployments/nothing/app_logs")

    assert (answer.status, answer.json["code"]) == (404, "deploymentNotFound")


def test_a_live_stream_tells_what_is_said_from_now_on(talker: Talker) -> None:
    talker.wait_for("booted")
    path = f"/v1/deployments/{talker.id}/app_logs"
    with streaming(talker.server, path) as stream:
        assert stream.getheader("content-type") == NDJSON
        began = now()
        talker.say(log="live")
        line = next_line(stream)
        took = now() - began

    assert (line["message"], line["level"]) == ("live", "info")
    assert took < timedelta(seconds=5)


def test_a_live_stream_filters(talker: Talker) -> None:
    path = f"/v1/deployments/{talker.id}/app_logs?level=error&q=tart"
    with streaming(talker.server, path) as stream:
        talker.say(log="tart", error="pie")
        talker.say(error="tart")
        assert next_line(stream)["level"] == "error"


def test_streams_leave_half_of_the_threads_free_and_end_with_their_clients(
    talker: Talker,
) -> None:
    path = f"/v1/deployments/{talker.id}/app_logs"
    with ExitStack() as held:
        for _ in range(PLACES):
            held.enter_context(streaming(talker.server, path))
        refused = talker.server.call("GET", path, headers={"Accept": NDJSON})
        page = talker.v1()

    assert (refused.status, refused.json["code"]) == (503, "tooManyStreams")
    assert page.status == 200
    with ExitStack() as held:
        for _ in range(PLACES):
            assert held.enter_context(streaming(talker.server, path)).status == 200


def test_a_stream_ends_with_its_deployment(talker: Talker) -> None:
    with streaming(talker.server, f"/v1/deployments/{talker.id}/app_logs") as stream:
        assert talker.server.call("DELETE", f"/v1/deployments/{talker.id}").status == 200
        rest = stream.read()

    assert b"booted" in rest or rest == b""


def test_nothing_is_lost_when_the_host_is_told_to_stop(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        talker = Talker(server, server.new_project())
        talker.say(log="line #", times=3000)
        server.stop_host(signal.SIGTERM)

        lines = talker.v1(since=long_ago(), order="asc", limit=10_000).json

    assert messages(lines) == ["booted", *(f"line {number}" for number in range(3000))]


def test_a_line_without_an_end_is_a_line(observed: RunningSubhosting, own_project: Json) -> None:
    app = {
        "main.ts": """Deno.stdout.writeSync(new TextEncoder().encode("a\\0b\\nno end"));
            Deno.serve(() => new Response()); setTimeout(() => Deno.exit(1), 300);"""
    }
    deployment = observed.deployed(own_project["id"], app)["id"]
    path = f"/v1/deployments/{deployment}/app_logs?since={long_ago()}&order=asc"

    wait_until(lambda: len(observed.call("GET", path).json) >= 2, "two lines")

    # Behind them the host says how the app ended.
    assert messages(observed.call("GET", path).json)[:2] == ["a\ufffdb", "no end"]
