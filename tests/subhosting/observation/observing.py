"""An app that says and uses what it is told, and how to read back what was recorded of it."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote, urlencode

from bot.kernel.clock import SystemClock
from tests.subhosting.server import Answer, Json, RunningSubhosting, wait_until

NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"

# `?log=text&times=3&error=text&bytes=100` logs, and answers with that many bytes.
TALKING = """
import process from "node:process";
const SPIN = 700_000;
console.log("booted");
Deno.serve(async (request) => {
    const query = new URL(request.url).searchParams;
    await request.arrayBuffer();
    for (let time = 0; time < Number(query.get("times") ?? 1); time++) {
        if (query.has("log")) console.log(query.get("log").replace("#", time));
    }
    if (query.has("error")) console.error(query.get("error"));
    // Until it has used so much, however busy the machine is.
    if (query.has("spin")) while (process.cpuUsage().user < SPIN);
    if (query.has("exit")) Deno.exit(3);
    if (query.has("wait")) await new Promise((done) => setTimeout(done, query.get("wait")));
    return new Response("x".repeat(Number(query.get("bytes") ?? 0)));
});
"""


class Talker:
    """A deployment of `TALKING`."""

    def __init__(self, server: RunningSubhosting, project: Json) -> None:
        self.server = server
        self.project = project
        self.deployment = server.deployed(project["id"], {"main.ts": TALKING})
        self.id: str = self.deployment["id"]
        assert self.deployment["status"] == "success", server.build_log(self.id)
        self.host: str = self.deployment["domains"][0]

    def say(self, **query: object) -> Answer:
        """Have it log and answer as `TALKING` describes."""
        return self.server.get(self.host, f"/?{urlencode(query)}")

    def v1(self, **query: object) -> Answer:
        """Ask v1 for its log."""
        return self.server.call("GET", f"/v1/deployments/{self.id}/app_logs?{urlencode(query)}")

    def v2(self, accept: str = "*/*", **query: object) -> Answer:
        """Ask v2 for its app's log."""
        return self.server.call("GET", self.v2_path(**query), headers={"Accept": accept})

    def v2_path(self, **query: object) -> str:
        return f"/v2/apps/{self.project['name']}/logs?{urlencode(query)}"

    def wait_for(self, message: str) -> None:
        """Return when the log holds a line."""
        wait_until(lambda: self.v1(since=long_ago(), q=message).json, f"the line {message}")


@contextmanager
def streaming(
    server: RunningSubhosting, path: str, accept: str = NDJSON
) -> Iterator[http.client.HTTPResponse]:
    """Open a stream; it is the client who leaves at the end of the block."""
    headers = {"Authorization": f"Bearer {server.token}", "Accept": accept}
    answers: list[http.client.HTTPResponse] = []
    with ExitStack() as connections:

        def answered() -> bool:
            # 503 while streams of an earlier test, whose clients have left, still hold all places.
            connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=20)
            connections.callback(connection.close)
            connection.request("GET", path, headers=headers)
            answers.append(connection.getresponse())
            return answers[-1].status != HTTPStatus.SERVICE_UNAVAILABLE

        wait_until(answered, "a place for a stream")
        yield answers[-1]


def next_line(stream: http.client.HTTPResponse) -> Json:
    """Return the next JSON line."""
    line: Json = json.loads(stream.readline())
    return line


def next_event(stream: http.client.HTTPResponse) -> Json:
    """Return the next server-sent event."""
    data = stream.readline()
    assert data.startswith(b"data: "), data
    assert stream.readline() == b"\n"
    event: Json = json.loads(data.removeprefix(b"data: "))
    return event


def now() -> datetime:
    return SystemClock().now()


def long_ago() -> str:
    return spelled(now() - timedelta(days=1))


def spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def messages(lines: list[Json]) -> list[str]:
    return [line["message"] for line in lines]


def path_of(link: str) -> str:
    """Return the path and query of a `Link` header's only target."""
    url = link.partition(">")[0].removeprefix("<")
    return "/" + quote(url.split("/", 3)[3], safe="/?&=%")
