"""API v2 of a running server, with plain JSON."""

import json
import secrets
from collections.abc import Mapping

from tests.subhosting.server import Answer, Json, RunningSubhosting

# Says which variables it sees.
SHOWS_ENV = """
const shown = ["FOO", "BAR", "DENO_TIMELINE"].map((name) => Deno.env.get(name) ?? "-");
Deno.serve(() => new Response(shown.join(" ")));
"""
NEVER_SERVES = "await new Promise((resolve) => setTimeout(resolve, 1e6));"
DYNAMIC = {"runtime": {"type": "dynamic", "entrypoint": "main.ts"}}


def says(text: str) -> str:
    return f"Deno.serve(() => new Response({json.dumps(text)}));"


def new_slug() -> str:
    return f"a-{secrets.token_hex(4)}"


def new_app(server: RunningSubhosting, **fields: object) -> Json:
    made = server.call("POST", "/v2/apps", {"slug": new_slug(), **fields})
    assert made.status == 200, made
    app: Json = made.json
    return app


def deploy(server: RunningSubhosting, app: str, source: str, **fields: object) -> Answer:
    assets = {"main.ts": {"kind": "file", "content": source}}
    body = {"assets": assets, "config": DYNAMIC, **fields}
    return server.call("POST", f"/v2/apps/{app}/deploy", body)


def deployed(server: RunningSubhosting, app: str, source: str, **fields: object) -> Json:
    """Deploy and wait for the end of the build."""
    made = deploy(server, app, source, **fields)
    assert made.status == 202, made
    return ended(server, made.json["id"])


def ended(server: RunningSubhosting, revision: str) -> Json:
    assert server.call("GET", f"/v2/revisions/{revision}/progress").status == 200
    found: Json = server.call("GET", f"/v2/revisions/{revision}").json
    return found


def progress(server: RunningSubhosting, revision: str) -> list[Json]:
    body = server.call("GET", f"/v2/revisions/{revision}/progress").body
    return [json.loads(line) for line in body.splitlines()]


def hosts(revision: Mapping[str, object]) -> dict[str, list[str]]:
    """Return a revision's hosts by the name of their timeline."""
    timelines = revision["timelines"]
    assert isinstance(timelines, list)
    return {each["name"]: each["hostnames"] for each in timelines}
