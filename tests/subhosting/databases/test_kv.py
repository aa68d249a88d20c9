"""KV databases: documents, one file each, one process at a time."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.subhosting.server import Json, RunningSubhosting
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


def test_two_deployments_never_have_a_database_open_at_once(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    hosts = [
        server.deployed(project["id"], {"main.ts": f"{COUNTER} // {n}"}, databases=linked)[
            "domains"
        ][0]
        for n in range(2)
    ]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(server.get, hosts * 10))

    assert [answer.status for answer in answers] == [200] * 20
    assert sorted(int(answer.text) for answer in answers) == list(range(1, 21))


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
