"""What the host counted of real requests to real apps, as both APIs tell it."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.subhosting.store.analytics import BUCKET, bucket_of
from tests.subhosting.observation.observing import Talker, now, spelled
from tests.subhosting.server import Json, RunningSubhosting, request, wait_until

KV = {"kvReadCount", "kvWriteCount", "kvReadUnits", "kvWriteUnits", "kvStorageBytes"}


# Does something of each kind once.
STORING = """
const kv = await Deno.openKv();
let done;
async function work() {
  await kv.set(["blob"], new Uint8Array(5_000));
  await kv.set(["blob", "small"], 1);
  const blob = await kv.get(["blob"]);
  await kv.getMany([["blob"], ["nothing"]]);
  await Array.fromAsync(kv.list({ prefix: ["blob"] }));
  await kv.atomic().check(blob).sum(["n"], 1n).commit();
  const stale = { key: ["blob"], versionstamp: null };
  if ((await kv.atomic().check(stale).set(["never"], 1).commit()).ok) throw new Error("held");
  return "done";
}
Deno.serve(async () => new Response(await (done ??= work())));
"""


def rows(server: RunningSubhosting, path: str, **query: object) -> list[Json]:
    """Return the table as one mapping per bucket."""
    answer = server.call("GET", f"{path}?{urlencode(query)}")
    assert answer.status == 200, answer
    names = [field["name"] for field in answer.json["fields"]]
    return [dict(zip(names, row, strict=True)) for row in answer.json["values"]]


def total(found: list[Json], name: str) -> Any:  # noqa: ANN401 - a number of either kind
    return sum(row[name] for row in found)


def v1(talker: Talker, **query: object) -> list[Json]:
    return rows(talker.server, f"/v1/projects/{talker.project['id']}/analytics", **query)


def v2(talker: Talker, **query: object) -> list[Json]:
    return rows(talker.server, f"/v2/apps/{talker.project['id']}/analytics", **query)


def wait_for_requests(talker: Talker, count: int) -> None:
    wait_until(lambda: total(v1(talker), "requestCount") >= count, f"{count} requests")


def test_requests_bytes_and_use_are_counted(talker: Talker) -> None:
    for _ in range(5):
        assert talker.say(bytes=10_000).status == 200
    headers = {"Host": talker.server.authority(talker.host)}
    request(talker.server.previews_port, "POST", "/", headers=headers, body=b"x" * 5_000)
    talker.say(spin=1)
    wait_for_requests(talker, 7)
    wait_until(lambda: total(v1(talker), "cpuSeconds") >= 0.6, "the use of a processor")

    found = v1(talker)

    assert total(found, "requestCount") == 7
    assert 50_000 < total(found, "networkEgressBytes") < 55_000
    assert 5_000 < total(found, "networkIngressBytes") < 8_000
    assert 0.6 <= total(found, "cpuSeconds") < 30
    assert 0.3 < total(found, "uptimeSeconds") < 60
    assert 10_000_000 < max(row["maxRssMemoryBytes"] for row in found) < 2_000_000_000


def test_an_app_without_a_database_has_done_nothing_with_one(talker: Talker) -> None:
    wait_until(lambda: total(v1(talker), "uptimeSeconds") > 0, "the first counts")

    assert all(row[name] == 0 for row in v1(talker) for name in KV)
    until = spelled(bucket_of(now()) + BUCKET)
    found = v2(talker, until=until)
    assert total(found, "kv_read_units") == total(found, "kv_write_units") == 0


def test_what_an_app_does_with_its_database_is_counted(
    observed: RunningSubhosting, own_project: Json
) -> None:
    path = f"/v1/organizations/{observed.organization}"
    database = observed.call("POST", f"{path}/databases", {}).json
    linked = {"default": database["id"]}
    live = observed.deployed(own_project["id"], {"main.ts": STORING}, databases=linked)
    assert live["status"] == "success", live
    assert observed.get(live["domains"][0]).text == "done"

    def found() -> Json:
        """Return what was done in all, and what is held now."""
        seen = rows(observed, f"/v1/projects/{own_project['id']}/analytics")
        return {
            **{name: total(seen, name) for name in KV},
            "kvStorageBytes": seen[-1]["kvStorageBytes"],
        }

    # The last thing that it does is counted last.
    wait_until(
        lambda: min(found()["kvStorageBytes"] - 5_000, found()["kvWriteCount"] - 2) > 0,
        "the counts",
    )
    counted = found()
    held = counted.pop("kvStorageBytes")
    assert counted == {
        # A key that is there, two of which one is not, and one list.
        "kvReadCount": 1 + 2 + 1,
        # A value of 5,000 bytes is two units; the list finds the small one only.
        "kvReadUnits": 2 + (2 + 1) + 1,
        # Two values, and a sum in a write of which a check held; nothing of the one that failed.
        "kvWriteCount": 2 + 1,
        "kvWriteUnits": 5 + 1 + 1,
    }
    assert 5_000 < held < 200_000
    whole = rows(observed, f"{path}/analytics")[-1]
    assert whole["kvStorageBytes"] >= held
    until = spelled(bucket_of(now()) + BUCKET)
    as_v2 = rows(observed, f"/v2/apps/{own_project['id']}/analytics", until=until)
    assert total(as_v2, "kv_read_units") == counted["kvReadUnits"]
    assert total(as_v2, "kv_write_units") == counted["kvWriteUnits"]


def test_v1_has_every_bucket_that_the_range_touches(talker: Talker) -> None:
    since = now() - timedelta(hours=1)
    found = v1(talker, since=spelled(since), until=spelled(now()))

    times = [row["time"] for row in found]
    assert times[0] == spelled(bucket_of(since))
    assert times[-1] == spelled(bucket_of(now()))
    assert len(times) == 5
    assert [row["requestCount"] for row in found[:-2]] == [0, 0, 0]
    assert len(v1(talker)) == 97


def test_v2_has_the_buckets_that_lie_within_the_range(talker: Talker) -> None:
    talker.say(bytes=1_000)
    wait_for_requests(talker, 1)
    bucket = bucket_of(now())
    since = spelled(bucket - 2 * BUCKET - timedelta(seconds=1))

    whole = v2(talker, since=since, until=spelled(bucket + BUCKET))
    partly = v2(talker, since=since, until=spelled(bucket + BUCKET - timedelta(seconds=1)))

    assert [row["time"] for row in whole] == [
        spelled(bucket - 2 * BUCKET), spelled(bucket - BUCKET), spelled(bucket)
    ]  # fmt: skip
    assert total(whole, "request_count") == 1
    assert total(whole, "network_egress_bytes") > 1_000
    assert total(whole, "runtime_seconds") > 0
    # A Deno process holds more than 10 MB as long as it runs.
    assert total(whole, "memory_time_byte_seconds") > 10_000_000 * 0.1
    assert partly == whole[:-1]
    assert len(v2(talker)) == 95 or len(v2(talker)) == 96


def test_nobody_tells_the_future(talker: Talker) -> None:
    since = spelled(now() + timedelta(hours=1))
    until = spelled(now() + timedelta(hours=2))

    assert v1(talker, since=since, until=until) == v2(talker, since=since, until=until) == []


def test_the_organization_is_the_sum_of_its_projects(talker: Talker) -> None:
    other = Talker(talker.server, talker.server.new_project())
    path = f"/v1/organizations/{talker.server.organization}/analytics"
    for one in (talker, other):
        one.say(bytes=1)
        wait_for_requests(one, 1)

    assert total(rows(talker.server, path), "requestCount") >= 2
    other_path = "/v1/organizations/5a0e0d4e-3ae8-4f0f-a3b7-000000000000/analytics"
    assert talker.server.call("GET", other_path).status == 404


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"since": "x"}, "since"),
        ({"until": "2026-01-01"}, "until"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:01Z"}, "since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "since"),
        ({"since": "0001-01-01T00:00:00Z"}, "since"),
    ],
)
def test_a_wrong_range_is_named(observed: RunningSubhosting, query: Json, named: str) -> None:
    path = f"/v1/organizations/{observed.organization}/analytics?{urlencode(query)}"
    answer = observed.call("GET", path)

    assert answer.status == 400
    assert answer.json["message"].startswith(f"{named}: ")


def test_v2_refuses_a_range_without_an_end_in_sight(talker: Talker) -> None:
    path = f"/v2/apps/{talker.project['id']}/analytics?since=1970-01-01T00:00:00Z"
    assert talker.server.call("GET", path).status == 400
    assert talker.server.call("GET", "/v2/apps/nothing/analytics").status == 404


def test_projects_are_sorted_by_requests_and_by_bandwidth(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        idle = server.new_project()
        often, much = (Talker(server, server.new_project()) for _ in range(2))
        for _ in range(3):
            often.say()
        much.say(bytes=100_000)
        server.stop_host()  # it stores what it counted, however long the usual interval is

        def sorted_by(name: str, order: str) -> list[str]:
            path = f"/v1/organizations/{server.organization}/projects"
            found = server.call("GET", f"{path}?sort={name}&order={order}").json
            return [project["name"] for project in found]

        names = [each["name"] for each in (idle, much.project, often.project)]
        assert sorted_by("requests", "asc") == names
        assert sorted_by("bandwidth", "desc") == [names[1], names[2], names[0]]


def test_what_a_deleted_deployment_used_stays_used(talker: Talker) -> None:
    talker.say(bytes=1)
    wait_for_requests(talker, 1)

    talker.server.call("DELETE", f"/v1/deployments/{talker.id}")

    assert total(v1(talker), "requestCount") == 1


def test_what_a_process_did_before_it_ended_is_counted(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        talker = Talker(server, server.new_project())
        # Between its start and its end nobody looks: the interval is ten seconds here. Its
        # processor time is not asserted: the kernel may have forgotten it when we come to read.
        talker.say(spin=1, exit=1)
        server.stop_host()

        assert total(v1(talker), "uptimeSeconds") >= 0.6
        assert total(v1(talker), "requestCount") == 1
