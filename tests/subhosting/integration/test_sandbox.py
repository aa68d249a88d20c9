"""Level 0 of the sandbox, from inside an app."""

import json

import pytest

from tests.subhosting.server import Json, RunningSubhosting

PROBE = """Deno.serve(async () => {
    try { return new Response("got " + JSON.stringify(await (async () => { %s })())); }
    catch (error) { return new Response("refused " + error.name); }
});"""


@pytest.mark.parametrize(
    "attempt",
    [
        'return await Deno.readTextFile("/etc/passwd");',
        'return await Deno.readTextFile("../../../subhosting.db");',
        'return await Deno.readTextFile("/proc/self/environ");',
        'await Deno.writeTextFile("main.ts", "changed");',
        'await Deno.remove("main.ts");',
        'return new Deno.Command("id").outputSync();',
        'await Deno.connect({ hostname: "127.0.0.1", port: API });',
        'await Deno.connect({ hostname: "localhost", port: API });',
        'await fetch("http://169.254.169.254/");',
        'return await import("https://example.com/x.ts");',
        "return Deno.hostname();",
        "Deno.kill(1);",
    ],
)
def test_an_app_cannot(server: RunningSubhosting, project: Json, attempt: str) -> None:
    app = PROBE % attempt.replace("API", str(server.api_port))
    live = server.deployed(project["id"], {"main.ts": app})

    assert server.get(live["domains"][0]).text.startswith("refused "), attempt


def test_one_deployment_s_files_are_never_another_s(
    server: RunningSubhosting, project: Json
) -> None:
    """The lock file is written by the installing stage, and the blob behind it must not change."""
    lock = json.dumps({"version": "5"})
    app = 'Deno.serve(async () => new Response(await Deno.readTextFile("deno.lock")));'
    broken = 'import "npm:none@1"; Deno.serve(() => new Response());'
    live = server.deployed(project["id"], {"main.ts": app, "deno.lock": lock})
    server.deployed(project["id"], {"main.ts": broken, "deno.lock": lock})

    assert server.get(live["domains"][0]).text == lock
