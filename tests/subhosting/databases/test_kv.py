"""KV databases: documents, one file each, however many deployments use it."""

import re
from functools import partial

import pytest

from tests.subhosting.server import Json, RunningSubhosting, deno_pids, wait_until
from tests.subhosting.v2 import client

COUNTER = """
const kv = await Deno.openKv();
Deno.serve(async () => {
  for (;;) {
    const old = await kv.get(["count"]);
    const count = (old.value ?? 0) + 1;
    const done = await kv.atomic().check(old).set(["count"], count).commit();
    if (done.ok) return new Response(String(count));
  }
});
"""

OPENS = """
Deno.serve(async (request) => {
  const path = new URL(request.url).searchParams.get("path") ?? undefined;
  try {
    const kv = await Deno.openKv(path);
    kv.close();
    return new Response("opened");
  } catch (error) {
    return new Response(String(error));
  }
});
"""


def organization(server: RunningSubhosting, path: str) -> str:
    return f"/v1/organizations/{server.organization}/{path}"


def test_a_database_is_made_described_and_listed(server: RunningSubhosting) -> None:
    path = organization(server, "databases")
    made = server.call("POST", path, {"description": "orders"})
    changed = server.call("PATCH", f"/v1/databases/{made.json['id']}", {"description": "old"})
    same = server.call("PATCH", f"/v1/databases/{made.json['id']}", {"description": None})
    listed = server.call("GET", f"{path}?q={made.json['id']}&sort=created_at&order=desc")

    assert (made.status, made.json["description"]) == (200, "orders")
    assert made.json["organizationId"] == server.organization
    assert changed.json["description"] == same.json["description"] == "old"
    assert listed.json == [same.json]
    assert 'rel="last"' in listed.headers["link"]


@pytest.mark.parametrize("text", ["x" * 1001, "a\0b", 5])
def test_a_bad_description_is_refused_by_field(server: RunningSubhosting, text: object) -> None:
    answer = server.call("POST", organization(server, "databases"), {"description": text})

    assert answer.status == 400
    assert answer.json["message"].startswith("description: ")


def test_an_app_keeps_what_it_stores_and_so_do_its_successors(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    one = server.deployed(project["id"], {"main.ts": COUNTER}, databases=linked)
    counts = [server.get(one["domains"][0]).text for _ in range(2)]

    two = server.deployed(project["id"], {"main.ts": f"{COUNTER} //"}, databases=linked)

    assert one["databases"] == two["databases"] == linked
    assert [*counts, server.get(two["domains"][0]).text] == ["1", "2", "3"]


# Reads and writes all the time, and tells how it went.
LOOP = """
const kv = await Deno.openKv();
let stop = false;
const counts = { done: 0, lost: 0, errors: [] };
async function loop() {
  while (!stop) {
    try {
      const old = await kv.get(["count"]);
      const done = await kv.atomic().check(old).set(["count"], (old.value ?? 0) + 1).commit();
      done.ok ? counts.done++ : counts.lost++;
    } catch (error) {
      counts.errors.push(String(error));
    }
  }
}
let looping;
Deno.serve(async (request) => {
  const path = new URL(request.url).pathname;
  if (path === "/go") looping ??= loop();
  if (path === "/stop") { stop = true; await looping; }
  const held = (await kv.get(["count"])).value ?? 0;
  return Response.json({ ...counts, held, way: Deno.env.get("DENO_KV_DEFAULT_PATH") });
});
"""


def test_two_live_deployments_share_a_database_and_lose_nothing(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    hosts = [
        server.deployed(project["id"], {"main.ts": f"{LOOP} // {n}"}, databases=linked)["domains"][
            0
        ]
        for n in range(2)
    ]
    for host in hosts:
        server.get(host)
    for host in hosts:
        server.get(host, "/go")
    for host in hosts:
        wait_until(partial(has_counted, server, host, 20), "twenty rounds")
    reports = [server.get(host, "/stop").json for host in hosts]

    assert [each["errors"] for each in reports] == [[], []]
    assert all(each["way"].startswith("http://127.") for each in reports)
    held = max(each["held"] for each in reports)
    assert held == sum(each["done"] for each in reports)
    assert server.get(hosts[0]).json["held"] == server.get(hosts[1]).json["held"] == held


def test_nobody_s_process_ends_when_another_one_opens_the_database(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    first, second = (
        server.deployed(project["id"], {"main.ts": f"{COUNTER} // {n}"}, databases=linked)
        for n in range(2)
    )
    server.get(first["domains"][0])
    lives = deno_pids(server.config.deployments_dir / first["id"])
    counts = [int(server.get(each["domains"][0]).text) for each in (second, first)]

    assert counts == [2, 3]
    assert deno_pids(server.config.deployments_dir / first["id"]) == lives != []


def test_the_last_one_who_leaves_lets_go_of_the_file(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    live = server.deployed(project["id"], {"main.ts": COUNTER}, databases=linked)
    server.get(live["domains"][0])
    log = server.config.kv_file(database["id"]).with_name("kv.sqlite-wal")
    assert log.exists()

    server.call("DELETE", f"/v1/deployments/{live['id']}")

    wait_until(lambda: not log.exists(), "the end of the log")
    reopened = server.deployed(project["id"], {"main.ts": COUNTER}, databases=linked)
    assert server.get(reopened["domains"][0]).text == "2"


def test_an_app_with_a_shared_database_reaches_nothing_else_of_loopback(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    source = """
    const kv = await Deno.openKv();
    Deno.serve(async (request) => {
      const url = new URL(request.url).searchParams.get("url");
      const reached = (answer) => `reached ${answer.status}`;
      if (url) return new Response(await fetch(url).then(reached, String));
      return Response.json([await kv.get(["a"]), Deno.env.get("DENO_KV_DEFAULT_PATH")]);
    });
    """
    linked = {"default": database["id"]}
    net = {"net": ["example.com"]}
    hosts = [
        server.deployed(
            project["id"], {"main.ts": f"{source} // {n}"}, databases=linked, permissions=net
        )["domains"][0]
        for n in range(2)
    ]
    shared = [server.get(host).json for host in hosts]

    assert all(way.startswith("http://127.") for _, way in shared)
    for address in ("127.0.0.1", "127.75.86.0", "127.75.86.2", "localhost"):
        url = f"http://{address}:{server.api_port}/"
        assert "NotCapable" in server.get(hosts[0], f"/?url={url}").text


def has_counted(server: RunningSubhosting, host: str, rounds: int) -> bool:
    answer = server.get(host)
    return answer.status == 200 and int(answer.json["done"]) >= rounds


def test_the_permission_is_for_the_app_s_own_file_alone(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    live = server.deployed(project["id"], {"main.ts": OPENS}, databases=linked)
    host = live["domains"][0]
    other = server.config.kv_file("00000000-0000-4000-8000-000000000000")

    assert server.get(host).text == "opened"
    assert "NotCapable" in server.get(host, f"/?path={other}").text
    assert "NotCapable" in server.get(host, f"/?path={server.data_dir}/subhosting.db").text


def test_without_a_database_deno_says_so_in_its_own_words(
    server: RunningSubhosting, project: Json
) -> None:
    live = server.deployed(project["id"], {"main.ts": OPENS})

    assert server.get(live["domains"][0]).text == (
        "TypeError: Deno.openKv() failed: no KV database is attached to this app. Attach a KV"
        " database to your app in the Deno Deploy dashboard, then redeploy."
    )


def test_crons_need_a_database(server: RunningSubhosting, project: Json, database: Json) -> None:
    app = {"main.ts": COUNTER}
    without = server.deploy(project["id"], app, headers=None, enableCron=True)
    linked = {"default": database["id"]}
    with_one = server.deploy(project["id"], app, headers=None, enableCron=True, databases=linked)

    assert (without.status, without.json["code"]) == (400, "cronNeedsDatabase")
    assert with_one.status == 200


def test_v2_makes_denokv_only_and_names_the_others(server: RunningSubhosting) -> None:
    def create(connection: Json, slug: str = "kv-one") -> Json:
        body = {"slug": slug, "connection": connection}
        answer = server.call("POST", "/v2/database_instances", body)
        return {"status": answer.status, **answer.json}

    made = create({"engine": "denokv"})
    again = create({"engine": "denokv"})
    prisma = create({"engine": "prisma", "region": "eu"}, "other")
    server_of_theirs = {"hostname": "db", "port": 5432, "username": None, "password": None}
    postgresql = create({"engine": "postgresql", "certificate": None, **server_of_theirs}, "pg")

    assert (made["status"], made["slug"], made["engine"]) == (200, "kv-one", "denokv")
    assert (made["connection"], made["databases"]) == ({"engine": "denokv"}, [])
    assert (again["status"], again["code"]) == (400, "SLUG_ALREADY_IN_USE")
    for refused, engine in ((prisma, "prisma"), (postgresql, "postgresql")):
        assert (refused["status"], refused["code"]) == (400, "ENGINE_NOT_SUPPORTED")
        assert re.match(f"connection.engine: '{engine}'", refused["message"])


def test_a_v2_target_binds_a_database_to_its_context(server: RunningSubhosting) -> None:
    server.call(
        "POST", "/v2/database_instances", {"slug": "bound", "connection": {"engine": "denokv"}}
    )
    app = server.call("POST", "/v2/apps", {}).json

    def deploy(instance: str) -> Json:
        body = {
            "assets": {"main.ts": {"kind": "file", "content": COUNTER}},
            "config": {"runtime": {"type": "dynamic", "entrypoint": "main.ts"}},
            "production": True,
            "preview": {"databases": [{"instance": instance, "name": "previews"}]},
        }
        body["production"] = {"databases": [{"instance": instance, "name": "production"}]}
        answer = server.call("POST", f"/v2/apps/{app['slug']}/deploy", body)
        return {**answer.json, "status": answer.status}

    unknown = deploy("nowhere")
    made = deploy("bound")
    server.build_log(made["id"])
    hosts = [f"{app['slug']}.localhost", f"{app['slug']}-{made['id']}.localhost"]

    assert (unknown["status"], unknown["code"]) == (400, "DATABASE_INSTANCE_NOT_FOUND")
    assert made["status"] == 202
    assert [server.get(host).text for host in hosts] == ["1", "1"]
    assert [server.get(host).text for host in hosts] == ["2", "2"]
    production, preview = client.progress(server, made["id"])[-1]["deploying"]["timelines"]
    assert (production["partition"], preview["partition"]) == (
        {},
        {"deno.revision.id": made["id"]},
    )
    for timeline in (production, preview):
        (stage,) = timeline["databases"]
        assert (stage["engine"], stage["status"]) == ("denokv", "succeeded")
