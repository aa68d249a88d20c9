"""What becomes of entry points of every kind, and what the build log says about them."""

import http.client
import json

import pytest

from tests.subhosting.server import Json, RunningSubhosting, command_line

NODE = """import http from "node:http";
const server = http.createServer((_, response) => response.end("hello"));
EXTRA
server.listen(3000);"""


@pytest.mark.parametrize(
    "source",
    [
        'Deno.serve(() => new Response("hello"));',
        'Deno.serve({ port: 3000, hostname: "0.0.0.0" }, () => new Response("hello"));',
        'export default { fetch() { return new Response("hello"); } };',
        NODE.replace("EXTRA", ""),
        # Answers nothing to rubbish, so only a request shows that it serves.
        NODE.replace("EXTRA", 'server.on("clientError", () => {});'),
    ],
    ids=["serve", "serve-port", "export-default", "node-http", "node-http-silent"],
)
def test_every_kind_of_server_is_reached(
    server: RunningSubhosting, project: Json, source: str
) -> None:
    live = server.deployed(project["id"], {"main.ts": source})

    assert live["status"] == "success", server.build_log(live["id"])
    assert server.get(live["domains"][0]).text == "hello"


@pytest.mark.parametrize(
    ("source", "level", "words"),
    [
        ('throw new Error("boom");', "error", "Uncaught (in promise) Error: boom"),
        ('throw new Error("boom");', "error", "    at file:///src/main.ts:1:7"),
        ('throw new Error("boom");', "error", "It exited before serving, with code 1"),
        ("let x = ;", "error", "error: SyntaxError: Expression expected"),
        ('import "./nofile.ts";', "error", 'Module not found "file:///src/nofile.ts"'),
        ('console.log("only a script");', "info", "only a script"),
        ('console.log("only a script");', "error", "No HTTP server started"),
        (
            'Deno.serve(() => new Response()); throw new Error("late");',
            "error",
            "Uncaught (in promise) Error: late",
        ),
        ("Deno.exit(7);", "error", "It exited before serving, with code 7"),
    ],
)
def test_a_failed_build_says_why(
    server: RunningSubhosting, project: Json, source: str, level: str, words: str
) -> None:
    failed = server.deployed(project["id"], {"main.ts": source})

    assert failed["status"] == "failed"
    log = server.build_log(failed["id"])
    assert any(line["level"] == level and words in line["message"] for line in log), log
    assert server.get(f"{project['name']}-{failed['id']}.localhost").status == 404


@pytest.mark.parametrize(
    "source",
    ["await new Promise((resolve) => setTimeout(resolve, 1e6));", "while (true) {}",
     "Deno.serve(() => new Response()); while (true) {}"],
    ids=["waits", "spins", "spins-listening"],
)  # fmt: skip
def test_what_never_answers_is_stopped_and_told_so(
    server: RunningSubhosting, project: Json, source: str
) -> None:
    failed = server.deployed(project["id"], {"main.ts": source})

    assert failed["status"] == "failed"
    assert "It did not answer HTTP within 3 s" in server.build_log(failed["id"])[-1]["message"]
    assert not [pid for pid in server.instances() if failed["id"] in command_line(pid)]


def test_the_build_log_streams_as_lines_of_json(server: RunningSubhosting, project: Json) -> None:
    slow = """console.log("first");
    await new Promise((resolve) => setTimeout(resolve, 700));
    Deno.serve(() => new Response());"""
    made = server.deploy(project["id"], {"main.ts": slow}).json
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=20)

    connection.request(
        "GET",
        f"/v1/deployments/{made['id']}/build_logs",
        headers={"Authorization": f"Bearer {server.token}", "Accept": "application/x-ndjson"},
    )
    response = connection.getresponse()
    lines = [json.loads(response.readline()) for _ in range(2)]
    status_then = server.call("GET", f"/v1/deployments/{made['id']}").json["status"]
    rest = [json.loads(line) for line in response.read().splitlines()]
    connection.close()

    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert lines[1] == {"level": "info", "message": "first"}
    assert status_then == "pending"
    assert "Serving after" in rest[-1]["message"]
    assert [*lines, *rest] == server.build_log(made["id"])


def test_an_app_without_packages_pays_nothing_for_them(
    server: RunningSubhosting, project: Json
) -> None:
    plain = {
        "main.ts": 'import { x } from "x"; Deno.serve(() => new Response(x));',
        "lib.ts": 'export const x = "mapped";',
        "deno.json": '{"imports": {"x": "./lib.ts"}}',
    }

    live = server.deployed(project["id"], plain)

    assert server.get(live["domains"][0]).text == "mapped"
    messages = [line["message"] for line in server.build_log(live["id"])]
    assert not any("Installing" in message for message in messages)


def test_packages_that_cannot_be_had_fail_in_the_installing_stage(
    server: RunningSubhosting, project: Json
) -> None:
    app = 'import x from "npm:no-such-package@1"; Deno.serve(() => new Response(x));'
    failed = server.deployed(project["id"], {"main.ts": app})

    assert failed["status"] == "failed"
    messages = [line["message"] for line in server.build_log(failed["id"])]
    assert messages[1] == "Installing packages"
    assert any("no-such-package" in message for message in messages)
    assert messages[-1] == "Installing packages failed with code 1"


@pytest.mark.parametrize(
    "files",
    [
        {"main.ts": 'import words from "npm:tiny-greeting"; SERVE'},
        {"main.ts": 'import { words } from "./deep.ts"; SERVE',
         "deep.ts": 'import words from "npm:tiny-greeting@1"; export { words };'},
        {"main.ts": 'import words from "x"; SERVE', "deno.lock": '{"version": "5"}',
         "deno.json": '{"imports": {"x": "npm:tiny-greeting@^1"}}'},
        {"main.ts": 'import words from "tiny-greeting"; SERVE',
         "package.json": '{"dependencies": {"tiny-greeting": "1"}}'},
        {"main.ts": 'import words from "jsr:@tiny/greeting"; SERVE'},
        {"main.ts": 'const { default: words } = await import("jsr:@tiny/greeting@1"); SERVE'},
    ],
    ids=["entry", "deep", "import-map", "package-json", "jsr", "jsr-dynamic"],
)  # fmt: skip
def test_packages_are_installed_before_the_start(
    server: RunningSubhosting, project: Json, files: dict[str, str]
) -> None:
    serve = "Deno.serve(() => new Response(words));"
    assets = {path: content.replace("SERVE", serve) for path, content in files.items()}
    live = server.deployed(project["id"], assets)

    log = server.build_log(live["id"])
    assert live["status"] == "success", log
    assert any(line["message"] == "Installing packages" for line in log)
    assert server.get(live["domains"][0]).text == "hello from a package"
