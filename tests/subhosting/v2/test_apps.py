"""Apps, layers, variables and pages of API v2."""

import secrets
from urllib.parse import quote

import pytest

from tests.subhosting.server import Json, RunningSubhosting, request
from tests.subhosting.v2.client import DYNAMIC, new_app, new_slug


@pytest.mark.parametrize("prefix", ["/v2", "/api/v2"])
def test_an_app_is_made_changed_and_deleted(server: RunningSubhosting, prefix: str) -> None:
    app = new_app(server, labels={"team": "a"}, config={"install": "deno install", **DYNAMIC})
    path = f"{prefix}/apps/{app['slug']}"

    changed = server.call("PATCH", path, {"labels": {"team": "b"}, "config": DYNAMIC})
    by_id = server.call("GET", f"{prefix}/apps/{app['id']}")
    deleted = server.call("DELETE", path)

    assert (changed.json["labels"], changed.json["config"]) == ({"team": "b"}, DYNAMIC)
    assert by_id.json == changed.json
    assert (deleted.status, deleted.body) == (204, b"")
    assert (server.call("GET", path).status, server.call("GET", path).json["code"]) == (
        404,
        "APP_NOT_FOUND",
    )


def test_an_app_without_anything_gets_a_slug(server: RunningSubhosting) -> None:
    made = server.call("POST", "/v2/apps", {})

    assert made.status == 200
    assert {"id", "slug", "layers", "created_at", "updated_at"} <= made.json.keys()


def test_a_taken_slug_is_a_conflict_in_both_spellings(server: RunningSubhosting) -> None:
    app = new_app(server)

    taken = server.call("POST", "/v2/apps", {"slug": app["slug"]})
    renamed = server.call("PATCH", f"/v2/apps/{new_app(server)['id']}", {"slug": app["slug"]})

    assert taken.status == renamed.status == 409
    assert taken.json["code"] == taken.json["error"]["code"] == "SLUG_ALREADY_IN_USE"
    assert taken.json["message"] == taken.json["error"]["message"]
    assert len(taken.headers["x-deno-trace-id"]) == 32


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slug": "-x-"}, "slug"),
        ({"labels": {str(n): "x" for n in range(6)}}, "labels"),
        ({"labels": {"deno.x": "y"}}, "labels"),
        ({"layers": ["nowhere"]}, "layers.0"),
        ({"env_vars": [{"key": "LD_PRELOAD", "value": "x"}]}, "env_vars"),
        ({"config": {"framework": "nextjs", **DYNAMIC}}, "config"),
        ({"config": {"runtime": {"type": "dynamic"}}}, "config.runtime"),
        ({"env_vars": [{"key": "X"}]}, "env_vars.0.value"),
    ],
)
def test_a_refused_app_names_the_field(server: RunningSubhosting, body: Json, field: str) -> None:
    refused = server.call("POST", "/v2/apps", body)

    assert refused.status == 400
    assert refused.json["message"].startswith(field), refused.json


def test_unknown_things_and_tokens_answer_in_v2_s_words(server: RunningSubhosting) -> None:
    unauthorized = request(server.api_port, "GET", "/v2/apps", headers={})
    nowhere = server.call("GET", "/v2/nowhere")
    method = server.call("PUT", "/v2/apps")
    revision = server.call("GET", "/api/v2/revisions/none")

    assert (unauthorized.status, unauthorized.json["code"]) == (401, "INVALID_TOKEN")
    assert (nowhere.status, nowhere.json["error"]["code"]) == (404, "NOT_FOUND")
    assert (method.status, method.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert (revision.status, revision.json["code"]) == (404, "REVISION_NOT_FOUND")


def test_pages_go_on_by_either_sdk_s_cursor(server: RunningSubhosting) -> None:
    mark = secrets.token_hex(4)
    slugs = [new_app(server, labels={"mark": mark})["slug"] for _ in range(5)]
    path = f"/v2/apps?limit=2&labels[mark]={mark}"

    first = server.call("GET", path)
    link = first.headers["link"]
    url = link.removeprefix("<").removesuffix('>; rel="next"')
    second = server.call("GET", url.removeprefix(server.api_url))
    # The Python SDK sends the whole address, after an older cursor.
    odd = server.call("GET", f"{path}&cursor=old&cursor={quote(url, safe='')}")
    last = server.call("GET", odd.headers["link"].removeprefix(f"<{server.api_url}").split(">")[0])

    assert [each["slug"] for each in first.json] == [slugs[4], slugs[3]]
    assert [each["slug"] for each in second.json] == [slugs[2], slugs[1]]
    assert odd.json == second.json
    assert [each["slug"] for each in last.json] == [slugs[0]]
    assert "link" not in last.headers
    assert url.startswith("http")
    assert not set(",;") & set(url)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=%21", "cursor=W10"])
def test_a_page_that_cannot_be_is_refused(server: RunningSubhosting, query: str) -> None:
    refused = server.call("GET", f"/v2/apps?{query}")

    assert (refused.status, refused.json["code"]) == (400, "MALFORMED_REQUEST")
    assert refused.json["message"].startswith(query.partition("=")[0])


def test_apps_are_found_by_label_and_layer(server: RunningSubhosting) -> None:
    layer = server.call("POST", "/v2/layers", {"slug": new_slug()}).json
    mark = secrets.token_hex(4)
    app = new_app(server, labels={"custom.mark": [mark, "x"]}, layers=[layer["slug"]])
    new_app(server, labels={"custom.mark": "other"})

    by_label = server.call("GET", f"/v2/apps?labels[custom.mark]={mark}")
    by_layer = server.call("GET", f"/v2/apps?layer={layer['id']}")
    by_both = server.call("GET", f"/v2/apps?layer={layer['slug']}&labels[custom.mark]=none")

    assert [each["id"] for each in by_label.json] == [app["id"]]
    assert [each["id"] for each in by_layer.json] == [app["id"]]
    assert by_both.json == []


def test_variables_merge_and_secrets_stay(server: RunningSubhosting) -> None:
    app = new_app(
        server,
        env_vars=[
            {"key": "A", "value": "1"},
            {"key": "B", "value": "2", "secret": True},
            {"key": "C", "value": "3", "contexts": ["production"]},
        ],
    )
    ids = {each["key"]: each["id"] for each in app["env_vars"]}
    updates = [
        {"id": ids["A"], "delete": True},
        {"key": "B", "value": "20"},
        {"key": "C", "contexts": ["preview"], "value": "30"},
        {"key": "D", "value": "4"},
    ]

    changed = server.call("PATCH", f"/v2/apps/{app['id']}", {"env_vars": updates}).json
    shown = {
        (each["key"], str(each["contexts"])): each.get("value") for each in changed["env_vars"]
    }
    unmasked = server.call(
        "PATCH", f"/v2/apps/{app['id']}", {"env_vars": [{"id": ids["B"], "secret": False}]}
    )

    assert shown == {
        ("B", "all"): None,
        ("C", "['production']"): "3",
        ("C", "['preview']"): "30",
        ("D", "all"): "4",
    }
    assert unmasked.status == 400
    assert "20" not in unmasked.text


@pytest.mark.parametrize(
    "update", [{"id": "none", "value": "x"}, {"key": "NEW"}, {"key": "NEW", "delete": True}, {}]
)
def test_an_update_of_nothing_is_refused(server: RunningSubhosting, update: Json) -> None:
    refused = server.call("PATCH", f"/v2/apps/{new_app(server)['id']}", {"env_vars": [update]})

    assert refused.status == 400
    assert refused.json["message"].startswith("env_vars.0")


def test_a_layer_is_made_used_and_deleted(server: RunningSubhosting) -> None:
    inner = server.call("POST", "/v2/layers", {"slug": new_slug()}).json
    made = server.call(
        "POST",
        "/v2/layers",
        {
            "slug": new_slug(),
            "description": "d",
            "layers": [inner["slug"]],
            "env_vars": [{"key": "K", "value": "secret-value", "secret": True}],
        },
    )
    layer = made.json
    path = f"/v2/layers/{layer['id']}"
    app = new_app(server, layers=[inner["id"], layer["slug"]])

    circle = server.call("PATCH", f"/v2/layers/{inner['id']}", {"layers": [layer["id"]]})
    users = server.call("GET", f"{path}/apps")
    refused = server.call("DELETE", path)
    included = server.call("DELETE", f"/v2/layers/{inner['id']}")
    server.call("PATCH", f"/v2/apps/{app['id']}", {"layers": []})
    deleted = server.call("DELETE", path)

    assert (made.status, layer["layers"], layer["app_count"]) == (
        201,
        [{"id": inner["id"], "slug": inner["slug"]}],
        0,
    )
    assert layer["id"].startswith("lyr_")
    assert "secret-value" not in made.text
    assert (circle.status, circle.json["code"]) == (400, "LAYER_CYCLE")
    assert users.json == [{"id": app["id"], "slug": app["slug"], "layer_position": 1}]
    assert refused.status == included.status == 409
    assert (deleted.status, server.call("GET", path).status) == (204, 404)


def test_layers_are_listed_and_searched(server: RunningSubhosting) -> None:
    slug = new_slug()
    server.call("POST", "/v2/layers", {"slug": slug})

    found = server.call("GET", f"/v2/layers?search={slug[2:]}&limit=1")
    taken = server.call("POST", "/v2/layers", {"slug": slug})

    assert [each["slug"] for each in found.json] == [slug]
    assert taken.status == 409
