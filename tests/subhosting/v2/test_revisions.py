"""From a deploy of API v2 to what answers, and what becomes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.subhosting.server import Json, RunningSubhosting, wait_until
from tests.subhosting.v2.client import (
    DYNAMIC,
    NEVER_SERVES,
    SHOWS_ENV,
    deploy,
    deployed,
    ended,
    hosts,
    new_app,
    new_slug,
    progress,
    says,
)


@pytest.fixture
def app(server: RunningSubhosting) -> Json:
    return new_app(server)


def test_a_deploy_is_accepted_built_and_answers(server: RunningSubhosting, app: Json) -> None:
    made = deploy(server, app["slug"], says("hello"), labels={"custom.sha": "1"})
    live = ended(server, made.json["id"])

    assert (made.status, made.json["status"]) == (202, "queued")
    assert (live["status"], live["failure_reason"], live["config"]) == ("succeeded", None, DYNAMIC)
    assert live["labels"] == {"custom.sha": "1"}
    assert hosts(live) == {"Production": [f"{app['slug']}.localhost"]}
    assert server.get(f"{app['slug']}.localhost").text == "hello"
    assert server.get(f"{app['slug']}-{live['id']}.localhost").status == 404


def test_production_floats_to_the_newest_and_previews_stay(
    server: RunningSubhosting, app: Json
) -> None:
    old = deployed(server, app["id"], says("old"), preview=True)
    new = deployed(server, app["id"], says("new"), preview={})
    aside = deployed(server, app["id"], says("aside"), production=False, preview=True)
    nowhere = deployed(server, app["id"], says("nowhere"), production={"domains": []})
    listed = server.call("GET", f"/v2/apps/{app['slug']}/revisions").json
    timelines = server.call("GET", f"/v2/apps/{app['slug']}/timelines").json

    production = f"{app['slug']}.localhost"
    assert server.get(production).text == "new"
    for each, text in ((old, "old"), (new, "new"), (aside, "aside")):
        assert server.get(f"{app['slug']}-{each['id']}.localhost").text == text
    assert [each["id"] for each in listed] == [each["id"] for each in (nowhere, aside, new, old)]
    assert nowhere["timelines"] == []
    assert timelines[0]["slug"] == "production"
    assert timelines[0]["domains"] == [{"domain": production}]
    assert {each["partition"].get("deno.revision.id") for each in timelines[1:]} == {
        old["id"],
        new["id"],
        aside["id"],
    }


def test_promoting_pins_production_and_another_promotion_undoes_it(
    server: RunningSubhosting, app: Json
) -> None:
    production = f"{app['slug']}.localhost"
    old = deployed(server, app["id"], says("old"))
    new = deployed(server, app["id"], says("new"))

    promoted = server.call("POST", f"/v2/revisions/{old['id']}/promote")
    pinned = server.get(production).text
    deployed(server, app["id"], says("newest"))
    still = server.get(production).text
    name = hosts(server.call("GET", f"/v2/revisions/{old['id']}").json)
    server.call("POST", f"/v2/revisions/{new['id']}/promote", {})
    other = server.get(production).text
    server.call("DELETE", f"/v2/revisions/{new['id']}/domains/{production}")

    assert (promoted.status, promoted.body) == (204, b"")
    assert (pinned, still, other) == ("old", "old", "new")
    assert name == {"Production (pinned)": [production]}
    assert server.get(production).text == "newest"


def test_a_shared_host_follows_the_newest_and_falls_back(
    server: RunningSubhosting, app: Json
) -> None:
    alias = f"{app['slug']}--pr-7.localhost"
    target = {"domains": [alias, "{deno.app.slug}-{deno.revision.id}.localhost"]}
    old = deployed(server, app["id"], says("old"), production=False, preview=target)
    new = deployed(server, app["id"], says("new"), production=False, preview=target)

    taken_over = server.get(alias).text
    detached = server.call("DELETE", f"/v2/revisions/{new['id']}/domains/{alias}")
    again = server.call("DELETE", f"/v2/revisions/{new['id']}/domains/{alias}")
    back = server.get(alias).text
    put = server.call("PUT", f"/v2/revisions/{new['id']}/domains", {"preview": [alias]})

    assert set(hosts(new)["Preview (pinned)"]) == {alias}
    assert hosts(new)["Preview"] == [f"{app['slug']}-{new['id']}.localhost"]
    assert (taken_over, back) == ("new", "old")
    assert (detached.status, again.status, put.status) == (204, 404, 204)
    assert server.get(alias).text == "new"
    assert server.get(f"{app['slug']}-{old['id']}.localhost").text == "old"


def test_v1_moves_a_host_that_v2_shares(server: RunningSubhosting, app: Json) -> None:
    alias = f"{new_slug()}.localhost"
    preview = {"domains": [alias]}
    old = deployed(server, app["id"], says("old"), production=False, preview=preview)
    new = deployed(server, app["id"], says("new"), production=False, preview=preview)

    moved = server.call("PUT", f"/v1/deployments/{old['id']}/domains/{alias}")

    assert moved.status == 200
    assert server.get(alias).text == "old"
    assert hosts(server.call("GET", f"/v2/revisions/{new['id']}").json) == {}


def test_one_store_two_apis(server: RunningSubhosting, app: Json) -> None:
    revision = deployed(server, app["id"], says("two"), preview=True)
    as_v1 = server.call("GET", f"/v1/deployments/{revision['id']}").json
    deployment = server.deployed(app["id"], {"main.ts": says("one")}, envVars={"A": "1"})
    as_v2 = server.call("GET", f"/v2/revisions/{deployment['id']}").json

    assert (as_v1["status"], as_v1["projectId"]) == ("success", app["id"])
    assert set(as_v1["domains"]) == {
        f"{app['slug']}.localhost",
        f"{app['slug']}-{revision['id']}.localhost",
    }
    assert as_v2["status"] == "succeeded"
    assert as_v2["config"] == {
        "install": "deno install",
        "build": None,
        "framework": "",
        **DYNAMIC,
    }
    assert as_v2["env_vars"] == [{"key": "A", "value": "1"}]
    assert hosts(as_v2) == {"Preview": deployment["domains"]}
    assert progress(server, deployment["id"])[-1]["deploying"]["status"] == "succeeded"
    server.call("POST", f"/v2/revisions/{deployment['id']}/promote")
    assert server.get(f"{app['slug']}.localhost").text == "one"


def test_contexts_decide_what_an_instance_sees(server: RunningSubhosting) -> None:
    layer = server.call(
        "POST",
        "/v2/layers",
        {
            "slug": new_slug(),
            "env_vars": [{"key": key, "value": "layer"} for key in ("FOO", "BAR")],
        },
    ).json
    app = new_app(
        server,
        layers=[layer["id"]],
        env_vars=[{"key": "FOO", "value": "production", "contexts": ["production"]}],
    )
    live = deployed(server, app["id"], SHOWS_ENV, preview=True)
    own = f"{app['slug']}-{live['id']}.localhost"
    production = f"{app['slug']}.localhost"

    assert server.get(production).text == "production layer production"
    assert server.get(own).text == f"layer layer preview/{live['id']}"

    change = {"env_vars": [{"key": "BAR", "value": "changed"}]}
    server.call("PATCH", f"/v2/layers/{layer['id']}", change)
    wait_until(lambda: "changed" in server.get(production).text, "the layer's new value")
    wait_until(lambda: "changed" in server.get(own).text, "the layer's new value in previews")

    mine = deployed(server, app["id"], SHOWS_ENV, env_vars=[{"key": "FOO", "value": "mine"}])
    assert mine["env_vars"] == [{"key": "FOO", "value": "mine"}]
    assert server.get(production).text == "mine changed production"


def test_a_cancelled_build_ends_at_once(server: RunningSubhosting, app: Json) -> None:
    made = deploy(server, app["id"], NEVER_SERVES).json
    wait_until(
        lambda: server.call("GET", f"/v2/revisions/{made['id']}").json["status"] == "building",
        "the build began",
    )

    refused = server.call("DELETE", f"/v2/revisions/{made['id']}")
    # The npm SDK posts an empty body with a JSON content type.
    asked = server.call(
        "POST",
        f"/v2/revisions/{made['id']}/cancel",
        b"",
        headers={"Content-Type": "application/json"},
    )
    over = ended(server, made["id"])
    stages = progress(server, made["id"])[-1]

    assert refused.status == 409
    assert asked.json["cancellation_requested_at"] is not None
    assert (over["status"], over["failure_reason"]) == ("failed", "cancelled")
    assert stages["deploying"]["status"] == "cancelled"
    assert server.call("DELETE", f"/v2/revisions/{made['id']}").status == 204
    assert not [pid for pid in server.instances() if made["id"] in _command(pid)]


def test_a_failed_start_says_why(server: RunningSubhosting, app: Json) -> None:
    failed = deployed(server, app["id"], 'throw new Error("boom");')

    assert (failed["status"], failed["failure_reason"]) == ("failed", "error")
    assert failed["failure_detail"]["stage"] == "warmup"
    assert failed["failure_detail"]["code"] == "boot_failed"
    assert progress(server, failed["id"])[-1]["deploying"]["timelines"][0]["status"] == "errored"
    listed = server.call("GET", f"/v2/apps/{app['id']}/revisions?status=failed").json
    assert [each["id"] for each in listed] == [failed["id"]]
    assert server.call("GET", f"/v2/apps/{app['id']}/revisions?status=building").json == []


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("text/event-stream", "text/event-stream"), ("application/x-ndjson", "application/x-ndjson"),
     ("application/json", "application/x-ndjson")],
)  # fmt: skip
def test_progress_and_logs_stream_in_both_forms(
    server: RunningSubhosting, app: Json, accept: str, content_type: str
) -> None:
    slow = f"await new Promise((resolve) => setTimeout(resolve, 500)); {says('x')}"
    made = deploy(server, app["id"], slow).json
    path, headers = f"/v2/revisions/{made['id']}", {"Accept": accept}
    response = server.call("GET", f"{path}/progress", headers=headers)
    states = _items(response.body, content_type)
    lines = _items(server.call("GET", f"{path}/build_logs", headers=headers).body, content_type)
    filtered = server.call("GET", f"/v2/revisions/{made['id']}/build_logs?step=preparing").body

    assert response.headers["content-type"].partition(";")[0] == content_type
    assert len(states) > 1
    assert states[-1]["deploying"]["status"] == "succeeded"
    assert [line["step"] for line in lines] == ["preparing", "deploying"]
    assert lines[-1]["timeline"] == "production"
    assert [json.loads(line)["message"] for line in filtered.splitlines()] == ["Assembled 1 file"]


def test_retention_and_deletion(server: RunningSubhosting, app: Json) -> None:
    old = deployed(server, app["id"], says("old"), preview=True)
    new = deployed(server, app["id"], says("new"))
    path = f"/v2/revisions/{old['id']}"

    kept = server.call("PATCH", path, {"retention": "indefinite"})
    deleted = server.call("DELETE", path)
    routed = server.call("DELETE", f"/v2/revisions/{new['id']}")

    assert kept.json["retention"] == "indefinite"
    assert (deleted.status, routed.status) == (204, 409)
    assert server.call("GET", path).status == 404
    assert server.get(f"{app['slug']}-{old['id']}.localhost").status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"production": "false"}, "production"),
        ({"config": {"framework": "nextjs"}}, "config.framework"),
        (
            {"config": {"runtime": {"type": "dynamic", "entrypoint": "no.ts"}}},
            "config.runtime.entrypoint",
        ),
        ({"preview": {"domains": ["example.com"]}}, "preview"),
        ({"preview": {"domains": ["x.{deno.app.slug}.localhost"]}}, "preview"),
        ({"preview": {"databases": [{"instance": "x", "name": "y"}]}}, "databases.instance"),
        ({"layers": ["none"]}, "layers.0"),
        ({"env_vars": [{"key": "DENO_X", "value": ""}]}, "env_vars"),
        ({"assets": {"../x": {"content": ""}}}, "assets"),
        ({"assets": None}, "assets"),
    ],
)
def test_a_refused_deploy_names_the_field(
    server: RunningSubhosting, app: Json, fields: Json, field: str
) -> None:
    refused = deploy(server, app["id"], says("x"), **fields)

    assert refused.status == 400, refused
    assert refused.json["message"].startswith(field), refused.json
    assert server.call("GET", f"/v2/apps/{app['id']}/revisions").json == []


def _items(body: bytes, content_type: str) -> list[Any]:
    if content_type != "text/event-stream":
        return [json.loads(line) for line in body.splitlines()]
    events = [each for each in body.split(b"\n\n") if each and not each.startswith(b":")]
    assert all(each.startswith(b"data: ") and b"\n" not in each for each in events)
    return [json.loads(each.removeprefix(b"data: ")) for each in events]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
