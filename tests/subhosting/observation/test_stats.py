"""What `deployctl top` shows: the use at this moment, of what runs at this moment."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager

from bot.subhosting.service.metering import Look, Rates, between
from bot.subhosting.store.usage import Usage
from tests.subhosting.observation.observing import Talker
from tests.subhosting.server import Json


def test_a_rate_is_what_was_added_by_the_time_that_passed() -> None:
    older = Look(100.0, {"a": Usage(requests=10, cpu_s=1.0, uptime_s=5.0, egress_bytes=100)})
    newer = Look(
        130.0,
        {
            "a": Usage(
                requests=40,
                cpu_s=1.75,
                uptime_s=35.0,
                egress_bytes=400,
                ingress_bytes=7,
                kv_read_units=5,
                kv_write_units=1,
            )
        },
    )

    (found,) = between(older, newer, {"a": 5_000})

    assert found == Rates(
        deployment_id="a",
        requests_per_minute=60,
        cpu_ms_per_s=25,
        cpu_ms_per_request=25,
        max_rss_bytes=5_000,
        ingress_bytes_per_minute=14,
        egress_bytes_per_minute=600,
        kv_read_units_per_minute=10,
        kv_write_units_per_minute=2,
    )


def test_what_does_not_run_is_not_shown_and_without_requests_nothing_is_divided() -> None:
    older = Look(0.0, {"rests": Usage(uptime_s=5.0), "idle": Usage(uptime_s=5.0)})
    newer = Look(10.0, {"rests": Usage(uptime_s=5.0), "idle": Usage(uptime_s=15.0)})

    found = between(older, newer, {})

    assert [(each.deployment_id, each.cpu_ms_per_request) for each in found] == [("idle", None)]
    assert between(newer, newer, {}) == []


@contextmanager
def top(talker: Talker) -> Iterator[Iterator[Json]]:
    """Give the lines of the stream."""
    connection = http.client.HTTPConnection("127.0.0.1", talker.server.api_port, timeout=20)
    try:
        path = f"/api/projects/{talker.project['name']}/stats"
        headers = {"Authorization": f"Bearer {talker.server.token}"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        yield (json.loads(line) for line in answer)
    finally:
        connection.close()


def test_requests_show_while_they_come(talker: Talker) -> None:
    talker.say(bytes=10)
    with top(talker) as lines:
        for line in lines:
            if line["requestsPerMinute"] > 0 and line["maxRss5Minutes"] > 10_000_000:
                break
            talker.say(bytes=1000)

    assert line["projectId"] == talker.project["id"]
    assert line["egressBytesPerMinute"] > 0
    # It has no database, and there are no queues.
    assert line["kvReadUnitsPerMinute"] == line["kvWriteUnitsPerMinute"] == 0
    assert line["enqueuePerMinute"] == line["dequeuePerMinute"] == 0


def test_a_project_that_is_not_there_is_named(talker: Talker) -> None:
    answer = talker.server.call("GET", "/api/projects/nobody/stats")

    assert (answer.status, answer.json["code"]) == (404, "projectNotFound")
