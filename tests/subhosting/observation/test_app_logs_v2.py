"""v2's app log, written by real apps and read back."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.subhosting.observation.observing import (
    EVENTS,
    NDJSON,
    Talker,
    long_ago,
    messages,
    next_event,
    next_line,
    now,
    path_of,
    spelled,
    streaming,
)
from tests.subhosting.server import Json, RunningSubhosting, wait_until


def test_a_page_is_oldest_first_with_names_of_v2(talker: Talker) -> None:
    talker.say(log="to stdout", error="to stderr")
    talker.wait_for("to stderr")

    page = talker.v2(start=long_ago(), end=spelled(now())).json

    times = [line.pop("timestamp") for line in page["logs"]]
    where = {"revision_id": talker.id, "region": "gcp-europe-west3"}
    assert page == {
        "logs": [
            {"level": "info", "message": "booted", **where},
            {"level": "info", "message": "to stdout", **where},
            {"level": "error", "message": "to stderr", **where},
        ],
        "next_cursor": None,
    }
    assert times == sorted(times)


def test_pages_go_on_by_cursor_and_by_link(talker: Talker) -> None:
    talker.say(log="line #", times=25)
    talker.wait_for("line 24")

    query: Json = {"start": long_ago(), "end": spelled(now()), "limit": 10, "query": "line"}
    first = talker.v2(**query)
    second = talker.v2(**query, cursor=first.json["next_cursor"])
    by_link = talker.server.call("GET", path_of(first.headers["link"]))
    # The Python SDK's cursor is the whole URL of the link.
    url = quote(second.headers["link"].partition(">")[0].removeprefix("<"), safe="")
    path = talker.v2_path(**query, cursor=second.json["next_cursor"])
    third = talker.server.call("GET", f"{path}&cursor={url}")

    found = [each for page in (first, second, third) for each in messages(page.json["logs"])]
    assert found == [f"line {number}" for number in range(25)]
    assert by_link.json == second.json
    assert third.json["next_cursor"] is None
    assert "link" not in third.headers


def test_the_level_is_the_least_severe_one(talker: Talker) -> None:
    talker.say(log="low", error="high")
    talker.wait_for("high")

    found = {
        level: messages(talker.v2(start=long_ago(), level=level).json["logs"])
        for level in ("debug", "info", "warn", "error")
    }
    everything = ["booted", "low", "high"]
    assert found == {"debug": everything, "info": everything, "warn": ["high"], "error": ["high"]}


def test_a_revision_may_be_chosen(talker: Talker) -> None:
    other = Talker(talker.server, talker.project)
    other.say(log="of the other")
    other.wait_for("of the other")

    def found(**query: str) -> list[str]:
        return messages(talker.v2(start=long_ago(), **query).json["logs"])

    assert found() == ["booted", "booted", "of the other"]
    assert found(revision_id=talker.id) == ["booted"]
    assert found(revision_id=other.id) == ["booted", "of the other"]
    assert found(revision_id="of-nobody") == []


def test_a_revision_of_another_app_is_none_of_this_one(talker: Talker) -> None:
    stranger = Talker(talker.server, talker.server.new_project())
    stranger.wait_for("booted")

    assert talker.v2(start=long_ago(), revision_id=stranger.id).json["logs"] == []


def test_an_app_has_an_id_too(talker: Talker) -> None:
    talker.wait_for("booted")
    path = f"/api/v2/apps/{talker.project['id']}/logs?start={long_ago()}"

    assert messages(talker.server.call("GET", path).json["logs"]) == ["booted"]


@pytest.mark.parametrize(
    ("accept", "query", "named"),
    [
        ("*/*", {}, "start"),
        ("*/*", {"start": "now"}, "start"),
        ("*/*", {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "start"),
        ("*/*", {"start": "2026-01-01T00:00:00Z", "end": "soon"}, "end"),
        ("application/json", {"start": "2026-01-01T00:00:00Z"}, "end"),
        ("text/html", {"start": "2026-01-01T00:00:00Z"}, "end"),
        ("*/*", {"start": "2026-01-01T00:00:00Z", "level": "warning"}, "level"),
        ("*/*", {"start": "2026-01-01T00:00:00Z", "limit": "1001"}, "limit"),
        ("*/*", {"start": "2026-01-01T00:00:00Z", "stream": "yes"}, "stream"),
        ("*/*", {"start": "2026-01-01T00:00:00Z", "cursor": "x"}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(talker: Talker, accept: str, query: Json, named: str) -> None:
    answer = talker.v2(accept, **query)

    assert answer.status == 400, answer
    assert answer.json["message"].startswith(f"{named}: ")


def test_an_unknown_app_has_no_log(observed: RunningSubhosting) -> None:
    answer = observed.call("GET", f"/v2/apps/nothing/logs?start={long_ago()}")

    assert answer.status == 404
    assert "app" in answer.json["message"]


def test_a_stream_begins_at_its_start_and_goes_on(talker: Talker) -> None:
    talker.say(log="before")
    talker.wait_for("before")
    with streaming(talker.server, talker.v2_path(start=long_ago())) as stream:
        assert stream.getheader("content-type") == NDJSON
        past = [next_line(stream), next_line(stream)]
        talker.say(log="after")
        after = next_line(stream)

    assert messages([*past, after]) == ["booted", "before", "after"]
    assert after["revision_id"] == talker.id


def test_a_stream_of_events(talker: Talker) -> None:
    talker.wait_for("booted")
    path = talker.v2_path(start=spelled(now()), level="error")
    with streaming(talker.server, path, EVENTS) as stream:
        assert (stream.getheader("content-type") or "").startswith(EVENTS)
        talker.say(log="low", error="first")
        talker.say(error="second")
        found = [next_event(stream), next_event(stream)]

    assert messages(found) == ["first", "second"]


def test_a_stream_of_old_clients_ends_at_its_end(talker: Talker) -> None:
    talker.wait_for("booted")
    end = spelled(now() + timedelta(seconds=1))
    path = talker.v2_path(start=long_ago(), end=end, stream="true")
    with streaming(talker.server, path, "*/*") as stream:
        lines = stream.read().splitlines()

    assert messages([json.loads(line) for line in lines]) == ["booted"]
    assert spelled(now()) > end


def test_with_an_end_there_is_a_page_whatever_is_accepted(talker: Talker) -> None:
    talker.wait_for("booted")

    for accept in (NDJSON, EVENTS, "application/json"):
        page = talker.v2(accept, start=long_ago(), end=spelled(now()))
        assert page.headers["content-type"] == "application/json"
        assert messages(page.json["logs"]) == ["booted"]


def test_a_stream_follows_all_revisions(talker: Talker) -> None:
    with streaming(talker.server, talker.v2_path(start=spelled(now()))) as stream:
        other = Talker(talker.server, talker.project)
        other.say(log="new revision")
        found = [next_line(stream)["message"]]
        while found[-1] != "new revision":
            found.append(next_line(stream)["message"])

    wait_until(lambda: talker.v2(start=long_ago()).status == 200, "the page")
