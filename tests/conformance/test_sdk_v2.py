"""Every operation that PyPI `deno-sandbox` 0.16.0 offers, against a live server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.sdk import RefusedError, Sdk
from tests.conformance.world import BROKEN, SHOWS_ENV, V2World

Check = Callable[[V2World], None]

TABLE: dict[str, Check] = {}


def operation(name: str) -> Callable[[Check], Check]:
    """Enter what must be seen of one operation."""

    def entered(check: Check) -> Check:
        TABLE[name] = check
        return check

    return entered


def ids(page: dict[str, Any]) -> list[str]:
    return [each["id"] for each in page["items"]]


@operation("apps.create")
def apps_create(v2: V2World) -> None:
    slug = v2.unique("app")
    config = {"install": "deno install", "runtime": {"type": "dynamic", "entrypoint": "main.ts"}}
    secret = {"key": "S", "value": "x", "secret": True}

    made = v2.app(slug=slug, labels={"custom.a": "b"}, env_vars=[secret], config=config)

    assert made["slug"] == slug
    assert made["labels"] == {"custom.a": "b"}
    assert made["config"]["runtime"] == config["runtime"]
    assert "value" not in made["env_vars"][0]
    assert v2.call("apps.create")["slug"]


@operation("apps.get")
def apps_get(v2: V2World) -> None:
    made = v2.app()

    assert v2.call("apps.get", made["slug"]) == v2.call("apps.get", made["id"])
    assert v2.call("apps.get", "no-such-app") is None


@operation("apps.list")
def apps_list(v2: V2World) -> None:
    word = v2.unique("w")
    made = [v2.app(labels={"custom.word": word})["id"] for _ in range(3)]

    first, second = v2.call("apps.list", labels={"custom.word": word}, limit=2, pages=2)

    # Newest first, and the SDK sends the whole next URL back as its cursor.
    assert (ids(first), ids(second)) == ([made[2], made[1]], [made[0]])
    assert second["next_cursor"] is None


@operation("apps.update")
def apps_update(v2: V2World) -> None:
    layer = v2.layer()
    app = v2.app(env_vars=[{"key": "A", "value": "1"}, {"key": "B", "value": "2"}])
    first, second = app["env_vars"]

    changed = v2.call(
        "apps.update",
        app["slug"],
        labels={"custom.x": "y"},
        layers=[layer["slug"]],
        env_vars=[{"id": first["id"], "value": "3"}, {"id": second["id"], "delete": True}],
    )

    assert [(each["key"], each["value"]) for each in changed["env_vars"]] == [("A", "3")]
    assert changed["layers"] == [{"id": layer["id"], "slug": layer["slug"]}]
    assert changed["labels"] == {"custom.x": "y"}


@operation("apps.delete")
def apps_delete(v2: V2World) -> None:
    app = v2.app()
    revision = v2.deployed(app["slug"])
    (host, *_) = v2.hosts(revision["id"])

    v2.call("apps.delete", app["slug"])

    assert v2.call("apps.get", app["id"]) is None
    assert v2.server.get(host.partition(":")[0]).status == 404


@operation("apps.logs")
def apps_logs(v2: V2World) -> None:
    app = v2.app()
    revision = v2.deployed(app["slug"])
    v2.text_at(v2.hosts(revision["id"])[0])
    start = v2.now(hours=-1)

    def found() -> list[Any]:
        # Without `end`, which this SDK's docstring says defaults to now.
        page = v2.call("apps.logs", app["slug"], start=start, query="started")
        lines: list[Any] = page["logs"]
        return lines

    assert v2.eventually(found)[0]["revision_id"] == revision["id"]
    page = v2.call("apps.logs", app["slug"], start=start, end=v2.now(), level="error")
    assert page == {"logs": [], "next_cursor": None}


@operation("apps.logs_stream")
def apps_logs_stream(v2: V2World) -> None:
    app = v2.app()
    revision = v2.deployed(app["slug"])
    v2.text_at(v2.hosts(revision["id"])[0])

    (line,) = v2.call("apps.logs_stream", app["slug"], start=v2.now(hours=-1), take=1)

    assert line["message"].strip() == "I have started"


@operation("revisions.deploy")
def revisions_deploy(v2: V2World) -> None:
    app = v2.app(env_vars=[{"key": "FROM_APP", "value": "app"}])

    made = v2.queued(
        app["slug"],
        SHOWS_ENV,
        env_vars=[{"key": "FROM_REVISION", "value": "revision"}],
        labels={"custom.branch": "main"},
    )

    assert made["status"] in {"queued", "building"}
    done = v2.built(made["id"])
    assert (done["status"], done["labels"]) == ("succeeded", {"custom.branch": "main"})
    shown = v2.server.get(v2.hosts(made["id"])[0].partition(":")[0]).json
    assert (shown["FROM_APP"], shown["FROM_REVISION"]) == ("app", "revision")
    assert shown["DENO_TIMELINE"] == "production"


@operation("revisions.get")
def revisions_get(v2: V2World) -> None:
    app = v2.app()

    failed = v2.deployed(app["slug"], BROKEN)

    assert (failed["status"], failed["failure_reason"]) == ("failed", "error")
    assert failed["failure_detail"]["code"] == "boot_failed"
    assert v2.call("revisions.get", "000000000000") is None


@operation("revisions.list")
def revisions_list(v2: V2World) -> None:
    app = v2.app()["slug"]
    made = [v2.queued(app)["id"] for _ in range(3)]

    first, second = v2.call("revisions.list", app, limit=2, pages=2)

    assert (ids(first), ids(second)) == ([made[2], made[1]], [made[0]])
    for each in made:
        v2.built(each)
    assert sorted(ids(v2.call("revisions.list", app, status="succeeded"))) == sorted(made)


@operation("revisions.delete")
def revisions_delete(v2: V2World) -> None:
    app = v2.app()["slug"]
    old, active = v2.deployed(app)["id"], v2.deployed(app)["id"]

    with pytest.raises(RefusedError) as refused:
        v2.call("revisions.delete", active)
    v2.call("revisions.delete", old)

    assert refused.value.status == 409
    gone = v2.call("revisions.get", old)
    assert gone is None or gone["deleted_at"]


@operation("revisions.cancel")
def revisions_cancel(v2: V2World) -> None:
    # Never listens, so that it is still warming up when the cancellation comes.
    made = v2.queued(v2.app()["slug"], "await new Promise((done) => setTimeout(done, 60_000));")

    asked = v2.call("revisions.cancel", made["id"])

    assert asked["cancellation_requested_at"] is not None
    done = v2.built(made["id"])
    assert (done["status"], done["failure_reason"]) == ("failed", "cancelled")


@operation("revisions.progress")
def revisions_progress(v2: V2World) -> None:
    made = v2.queued(v2.app()["slug"])

    *_, last = v2.call("revisions.progress", made["id"])

    assert last["deploying"]["status"] == "succeeded"
    assert v2.call("revisions.get", made["id"])["status"] == "succeeded"
    assert v2.call("revisions.progress", made["id"]) == [last]


@operation("revisions.build_logs")
def revisions_build_logs(v2: V2World) -> None:
    made = v2.queued(v2.app()["slug"])

    lines = v2.call("revisions.build_logs", made["id"])

    assert lines
    steps = {line["step"] for line in lines if "step" in line}
    for step in sorted(steps):
        some = v2.call("revisions.build_logs", made["id"], step=step)
        assert some == [line for line in lines if line.get("step") == step]


@operation("revisions.timelines")
def revisions_timelines(v2: V2World) -> None:
    app = v2.app()
    revision = v2.deployed(app["slug"])
    hosts = v2.hosts(revision["id"])

    (timeline,) = v2.call("revisions.timelines", revision["id"])

    assert timeline["slug"] == "production"
    assert [each["domain"] for each in timeline["domains"]] == hosts


@operation("revisions.set_retention")
def revisions_set_retention(v2: V2World) -> None:
    revision = v2.deployed(v2.app()["slug"])["id"]

    assert v2.call("revisions.set_retention", revision, "auto")["id"] == revision


@operation("timelines.list")
def timelines_list(v2: V2World) -> None:
    app = v2.app()
    v2.deployed(app["slug"], production=True, preview=True)

    page = v2.call("timelines.list", app["slug"])

    assert {each["slug"] for each in page["items"]} == {"production", "preview"}
    assert {each["app"]["id"] for each in page["items"]} == {app["id"]}


@operation("layers.create")
def layers_create(v2: V2World) -> None:
    base = v2.layer()

    made = v2.layer(
        description="shared",
        layers=[base["slug"]],
        env_vars=[{"key": "A", "value": "1"}, {"key": "S", "value": "x", "secret": True}],
    )

    assert "_" in made["id"]
    assert made["layers"] == [{"id": base["id"], "slug": base["slug"]}]
    assert [each.get("value") for each in made["env_vars"]] == ["1", None]
    assert made["app_count"] == 0


@operation("layers.get")
def layers_get(v2: V2World) -> None:
    made = v2.layer()

    assert v2.call("layers.get", made["slug"]) == v2.call("layers.get", made["id"]) == made
    assert v2.call("layers.get", "no-such-layer") is None


@operation("layers.list")
def layers_list(v2: V2World) -> None:
    made = v2.layer()

    assert ids(v2.call("layers.list", search=made["slug"], limit=10)) == [made["id"]]


@operation("layers.update")
def layers_update(v2: V2World) -> None:
    layer = v2.layer(env_vars=[{"key": "FROM_LAYER", "value": "old"}])
    app = v2.app(layers=[layer["slug"]])
    revision = v2.deployed(app["slug"], SHOWS_ENV)
    host = v2.hosts(revision["id"])[0].partition(":")[0]
    assert v2.server.get(host).json["FROM_LAYER"] == "old"

    v2.call("layers.update", layer["slug"], env_vars=[{"key": "FROM_LAYER", "value": "new"}])

    # Without another deploy: "all apps using that layer pick up the changes immediately".
    assert v2.eventually(lambda: v2.server.get(host).json["FROM_LAYER"] == "new")


@operation("layers.delete")
def layers_delete(v2: V2World) -> None:
    used, unused = v2.layer(), v2.layer()
    v2.app(layers=[used["slug"]])

    with pytest.raises(RefusedError) as refused:
        v2.call("layers.delete", used["slug"])
    v2.call("layers.delete", unused["id"])

    assert refused.value.status == 409
    assert v2.call("layers.get", unused["id"]) is None


@operation("layers.apps")
def layers_apps(v2: V2World) -> None:
    layers = [v2.layer()["slug"] for _ in range(2)]
    app = v2.app(layers=layers)

    page = v2.call("layers.apps", layers[1])

    assert page["items"] == [{"id": app["id"], "slug": app["slug"], "layer_position": 1}]


@pytest.mark.parametrize("name", TABLE)
def test_operation(v2: V2World, name: str) -> None:
    TABLE[name](v2)

    assert v2.broken_promises() == []


def test_the_table_has_every_operation_of_the_sdk(sdk_v2: Sdk) -> None:
    assert sorted(sdk_v2.offers()) == sorted(TABLE)


def test_code_and_message_of_an_error_reach_the_user(v2: V2World) -> None:
    slug = v2.app()["slug"]

    with pytest.raises(RefusedError) as refused:
        v2.app(slug=slug)

    assert (refused.value.status, refused.value.facts["code"]) == (409, "SLUG_ALREADY_IN_USE")
    assert slug in refused.value.facts["message"]


def test_the_output_of_a_build_and_its_error_reach_the_user(v2: V2World) -> None:
    app = v2.app()["slug"]
    runtime = {"type": "dynamic", "entrypoint": "main.ts"}
    build = "echo compiling; deno check main.ts"
    config = {"install": None, "build": build, "runtime": runtime}

    live = v2.deployed(app, config=config)
    failed = v2.deployed(app, "const n: number = 'a';\nDeno.serve(() => n);", config=config)

    assert live["status"] == "succeeded"
    said = v2.call("revisions.build_logs", live["id"], step="building")
    assert [line["message"] for line in said][:2] == [f"$ {build}", "compiling"]
    assert (failed["status"], failed["failure_reason"]) == ("failed", "error")
    said = v2.call("revisions.build_logs", failed["id"], step="building")
    messages = [line["message"] for line in said]
    assert "TS2322 [ERROR]: Type 'string' is not assignable to type 'number'." in messages
    assert "    at file:///src/main.ts:1:7" in messages
    building = v2.call("revisions.progress", failed["id"])[-1]["building"]
    assert (building["status"], building["command"]) == ("errored", build)
    assert v2.broken_promises() == []
