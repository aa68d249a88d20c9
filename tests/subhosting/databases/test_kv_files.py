"""KV databases that apps open themselves, where the operator has switched KV Connect off."""

from collections.abc import Iterator

import pytest

from tests.subhosting.databases.test_kv import COUNTER
from tests.subhosting.server import Json, RunningSubhosting, wait_until

# Its queue works on what was put into it by whoever had the file before.
QUEUE = """
const kv = await Deno.openKv();
const heard = [];
kv.listenQueue((message) => { heard.push(message); });
Deno.serve(async (request) => {
  const said = new URL(request.url).searchParams.get("say");
  if (said) await kv.enqueue(said);
  return Response.json({ heard, way: Deno.env.get("DENO_KV_DEFAULT_PATH") });
});
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("files") / "data"
    with RunningSubhosting(data_dir, kv_connect=False, analytics_every=0.2) as running:
        yield running


def linked(server: RunningSubhosting) -> Json:
    path = f"/v1/organizations/{server.organization}/databases"
    return {"default": server.call("POST", path, {}).json["id"]}


def test_deployments_take_turns_and_lose_nothing(without: RunningSubhosting) -> None:
    project, databases = without.new_project(), linked(without)
    hosts = [
        without.deployed(project["id"], {"main.ts": f"{COUNTER} // {n}"}, databases=databases)[
            "domains"
        ][0]
        for n in range(2)
    ]

    counts = [without.get(host).text for host in (*hosts, *hosts)]

    assert counts == ["1", "2", "3", "4"]


def test_queues_work(without: RunningSubhosting) -> None:
    project, databases = without.new_project(), linked(without)
    live = without.deployed(project["id"], {"main.ts": QUEUE}, databases=databases)
    host = live["domains"][0]

    way = without.get(host, "/?say=hello").json["way"]

    assert way == str(without.config.kv_file(databases["default"]))
    wait_until(lambda: without.get(host).json["heard"] == ["hello"], "the message")


def test_what_nobody_counts_does_not_look_like_zero(without: RunningSubhosting) -> None:
    project, databases = without.new_project(), linked(without)
    live = without.deployed(project["id"], {"main.ts": COUNTER}, databases=databases)
    without.get(live["domains"][0])

    def last() -> Json:
        answer = without.call("GET", f"/v1/projects/{project['id']}/analytics").json
        names = [field["name"] for field in answer["fields"]]
        return dict(zip(names, answer["values"][-1], strict=True))

    wait_until(lambda: last()["kvStorageBytes"] > 0, "the size, which is known all the same")
    uncounted = ("kvReadCount", "kvWriteCount", "kvReadUnits", "kvWriteUnits")
    assert [last()[name] for name in uncounted] == [None] * 4
    as_v2 = without.call("GET", f"/v2/apps/{project['id']}/analytics").json["fields"]
    assert not any(field["name"].startswith("kv") for field in as_v2)
