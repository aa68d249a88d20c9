"""Apps as people write them, with and without npm: what each is asked, and what it answers."""

import json
from collections.abc import Iterator, Mapping

import pytest

from tests.subhosting.builds.app import said
from tests.subhosting.npm_cache import LOCKED
from tests.subhosting.package_registry import package_registry
from tests.subhosting.server import RunningSubhosting, request

# Each greets at `/`, gives back what it was sent as JSON, and says its address as visitors see it.
APPS: Mapping[str, str] = {
    "Deno.serve without a port": """
        Deno.serve(async (request) => {
            const url = new URL(request.url);
            if (url.pathname === "/url") return new Response(request.url);
            if (request.method === "POST") return Response.json({ got: await request.json() });
            return new Response("hello");
        });""",
    "Deno.serve with a port": """
        Deno.serve({ port: 8000, hostname: "0.0.0.0" }, async (request) => {
            const url = new URL(request.url);
            if (url.pathname === "/url") return new Response(request.url);
            if (request.method === "POST") return Response.json({ got: await request.json() });
            return new Response("hello");
        });""",
    "export default": """
        export default {
            async fetch(request: Request) {
                const url = new URL(request.url);
                if (url.pathname === "/url") return new Response(request.url);
                if (request.method === "POST") return Response.json({ got: await request.json() });
                return new Response("hello");
            },
        };""",
    "node:http": """
        import { createServer } from "node:http";
        import { json } from "node:stream/consumers";
        createServer(async (request, response) => {
            if (request.method === "POST") {
                response.end(JSON.stringify({ got: await json(request) }));
            } else if (request.url === "/url") {
                response.end(`http://${request.headers.host}${request.url}`);
            } else {
                response.end("hello");
            }
        }).listen(3000);""",
    "express": """
        import express from "express";
        const app = express();
        app.use(express.json());
        app.get("/", (_request, response) => response.send("hello"));
        app.post("/", (request, response) => response.json({ got: request.body }));
        app.get("/url", (request, response) => {
            response.send(`${request.protocol}://${request.get("host")}${request.originalUrl}`);
        });
        app.listen(3000);""",
    "hono": """
        import { Hono } from "hono";
        const app = new Hono();
        app.get("/", (context) => context.text("hello"));
        app.post("/", async (context) => context.json({ got: await context.req.json() }));
        app.get("/url", (context) => context.text(context.req.url));
        export default app;""",
    "hono by Deno.serve": """
        import { Hono } from "hono";
        const app = new Hono();
        app.get("/", (context) => context.text("hello"));
        app.post("/", async (context) => context.json({ got: await context.req.json() }));
        app.get("/url", (context) => context.text(context.req.url));
        Deno.serve({ port: 3000 }, app.fetch);""",
    "fastify": """
        import Fastify from "fastify";
        const app = Fastify();
        app.get("/", () => "hello");
        app.post("/", (request) => ({ got: request.body }));
        app.get("/url", (request) => `${request.protocol}://${request.host}${request.url}`);
        await app.listen({ port: 3000 });""",
}


@pytest.mark.parametrize("name", APPS)
def test_an_app_answers_as_it_would_anywhere(server: RunningSubhosting, name: str) -> None:
    project = server.new_project()["id"]
    config = (LOCKED / "deno.json").read_text()

    made = server.deployed(project, {"main.ts": APPS[name], "deno.json": config})

    assert made["status"] == "success", "\n".join(said(server, made["id"])[-6:])
    host = made["domains"][0]
    authority = server.authority(host)
    sent = {"Host": authority, "Content-Type": "application/json"}
    body = json.dumps({"a": ["ü", 1]}).encode()
    posted = request(server.previews_port, "POST", "/", headers=sent, body=body)
    assert server.get(host).text == "hello"
    assert posted.json == {"got": {"a": ["ü", 1]}}
    assert server.get(host, "/url").text == f"http://{authority}/url"


ASKS = """
import { createServer } from "node:http";
const server = createServer((_request, response) => {
    const { address, family, port } = server.address();
    response.end(`${address} ${family} ${port}`);
});
server.listen(4321, () => console.log(`listening on ${server.address().port}`));"""


@pytest.fixture(scope="module")
def without_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    """Return a server whose apps listen on their unix socket alone."""
    data_dir = tmp_path_factory.mktemp("low") / "data"
    with (
        package_registry() as registry,
        RunningSubhosting(data_dir, highest_isolation="L0", npm_registry=registry) as server,
    ):
        yield server


def test_an_app_that_asks_where_it_listens_is_told(without_networks: RunningSubhosting) -> None:
    server = without_networks
    project = server.new_project()["id"]

    made = server.deployed(project, {"main.ts": ASKS})

    log = said(server, made["id"])
    assert made["status"] == "success", "\n".join(log)
    assert server.get(made["domains"][0]).text == "127.0.0.1 IPv4 4321"
    assert log.count("It asks for its address on TCP: started again with an answer") == 1
    (argv,) = [command for command in map(_command, server.instances()) if made["id"] in command]
    assert "--preload" in argv


def test_fastify_needs_no_network_of_its_own(without_networks: RunningSubhosting) -> None:
    server = without_networks
    project = server.new_project()["id"]
    config = (LOCKED / "deno.json").read_text()

    made = server.deployed(project, {"main.ts": APPS["fastify"], "deno.json": config})
    first = server.get(made["domains"][0]).text
    server.stop_host()
    server.start_host()

    assert first == server.get(made["domains"][0]).text == "hello"


def test_an_app_that_falls_for_another_reason_is_started_once(
    without_networks: RunningSubhosting,
) -> None:
    server = without_networks
    project = server.new_project()["id"]

    failed = server.deployed(project, {"main.ts": "const nothing: any = null; nothing.length;"})

    log = said(server, failed["id"])
    assert failed["status"] == "failed"
    assert log[-1] == "It exited before serving, with code 1"
    assert sum("of null" in line for line in log) == 1


def _command(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - a pseudo file
        return file.read().decode()
