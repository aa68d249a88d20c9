"""Frameworks: recognised, built by their presets, and served by what comes out."""

import json

import pytest

from tests.subhosting.builds.app import deploy, deployed, said
from tests.subhosting.server import Json, RunningSubhosting, wait_until
from tests.subhosting.v2.client import new_app, progress, says

# In place of a framework: a task of the same name that leaves the same files.
SITE = 'Deno.mkdirSync("dist"); Deno.writeTextFileSync("dist/index.html", "a page");'
SERVER = """
Deno.mkdirSync("dist/server", { recursive: true });
Deno.writeTextFileSync("dist/server/entry.mjs", SOURCE);
""".replace("SOURCE", json.dumps(says("a server")))


def files(program: str) -> dict[str, str]:
    package = {"scripts": {"build": "deno run --allow-write make.ts"}}
    return {"package.json": json.dumps(package), "make.ts": program}


@pytest.mark.parametrize(
    ("config", "program", "words", "shown"),
    [
        ({"framework": "astro"}, SITE, "a page", "astro"),
        ({"framework": "astro"}, SERVER, "a server", "astro"),
        (
            {"build": "deno task build", "runtime": {"type": "static", "cwd": "./dist/"}},
            SITE,
            "a page",
            None,
        ),
    ],
    ids=["astro-static", "astro-server", "folder"],
)
def test_what_a_build_leaves_behind_is_served(
    server: RunningSubhosting, config: Json, program: str, words: str, shown: str | None
) -> None:
    app = new_app(server)

    live = deployed(server, app["id"], files(program), config=config)

    assert live["status"] == "succeeded", said(server, live["id"])
    assert server.get(f"{app['slug']}.localhost").text == words
    assert live["config"].get("framework") == shown
    # A preset and a runtime exclude each other, in answers as well.
    assert ("runtime" in live["config"]) == (shown is None)
    assert progress(server, live["id"])[-1]["building"]["command"] == "deno task build"


def test_a_site_of_vite_is_recognised_by_its_files(server: RunningSubhosting) -> None:
    app = new_app(server)
    site = {**files(SITE), "index.html": "for Vite", "vite.config.ts": "export default {};"}

    live = deployed(server, app["id"], site)

    assert live["status"] == "succeeded", said(server, live["id"])
    assert server.get(f"{app['slug']}.localhost").text == "a page"
    assert live["config"]["runtime"] == {"type": "static", "cwd": "dist"}
    assert live["config"]["build"] == "deno task build"


def test_a_built_site_is_promoted_without_another_build(server: RunningSubhosting) -> None:
    app = new_app(server)
    config = {"build": "deno task build", "framework": ""}
    live = deployed(server, app["id"], files(SITE), config=config, production=False)
    log_before = said(server, live["id"])

    promoted = server.call("POST", f"/v2/revisions/{live['id']}/promote", {})

    assert promoted.status == 204
    wait_until(
        lambda: server.get(f"{app['slug']}.localhost").text == "a page", "the promoted site"
    )
    # Not built once more.
    assert said(server, live["id"]) == log_before


@pytest.mark.parametrize("config", [{"framework": "lume"}, {"build": "true", "framework": ""}])
def test_a_build_that_leaves_nothing_to_serve_fails(
    server: RunningSubhosting, config: Json
) -> None:
    app = new_app(server)

    failed = deployed(server, app["id"], files(SITE.replace("dist", "elsewhere")), config=config)

    assert (failed["status"], failed["failure_reason"]) == ("failed", "error")
    assert said(server, failed["id"])[-1] == (
        "The build left nothing behind that could be served; name a `runtime`"
    )


@pytest.mark.parametrize("framework", ["nextjs", "nuxt", "remix", "solidstart", "tanstackstart"])
def test_a_framework_that_is_not_served_is_refused_by_name(
    server: RunningSubhosting, framework: str
) -> None:
    app = new_app(server)

    refused = deploy(server, app["id"], files(SITE), config={"framework": framework})
    unknown = deploy(server, app["id"], files(SITE), config={"framework": "cobol"})

    assert (refused.status, refused.json["code"]) == (400, "NOT_SUPPORTED")
    assert refused.json["message"].startswith(
        f"config.framework: '{framework}' is not served here"
    )
    assert unknown.status == 400
    assert unknown.json["message"].startswith("config.framework: ")
