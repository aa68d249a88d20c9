"""At L3 an app has a network of its own: it goes out by the proxy, or not at all."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.subhosting.host_link import stored_isolation
from tests.subhosting.builds.app import SERVES_A_FILE, deployed, said, with_commands
from tests.subhosting.egress.conftest import Modules, serving
from tests.subhosting.server import Json, RunningSubhosting, wait_until
from tests.subhosting.v2.client import new_app

pytestmark = pytest.mark.needs_system_part("bubblewrap")

# Does what the query says, and answers with what came of it.
ATTEMPTS = """
import http from "node:http";
import dgram from "node:dgram";
const ways = {
  fetch: async (url) => { const a = await fetch(url); return `${a.status} ${await a.text()}`; },
  node: (url) => new Promise((came, failed) => http.get(url, (answer) => {
    let text = "";
    answer.on("data", (piece) => text += piece);
    answer.on("end", () => came(`${answer.statusCode} ${text}`));
  }).on("error", failed)),
  raw: async (url) => {
    const { hostname, port } = new URL(url);
    const bare = hostname.replace(/[[\\]]/g, "");
    (await Deno.connect({ hostname: bare, port: Number(port) })).close();
    return "connected";
  },
  datagram: (url) => new Promise((came, failed) => {
    const { hostname, port } = new URL(url);
    const socket = dgram.createSocket("udp4");
    socket.on("error", failed);
    socket.send("x", Number(port), hostname, (error) => error ? failed(error) : came("sent"));
  }),
  socket: (url) => new Promise((came, failed) => {
    const opened = new WebSocket(url);
    opened.onopen = () => { opened.send("over the wire"); };
    opened.onmessage = (event) => { came(event.data); opened.close(); };
    opened.onerror = (event) => failed(new Error(event.message));
  }),
};
Deno.serve(async (request) => {
  const { way, url } = await request.json();
  try { return new Response(await ways[way](url)); }
  catch (error) { return new Response(`${error.name} ${error.message}`); }
});
"""

# Frameworks ask their server where it listens, and fix their ports.
ASKS_FOR_ITS_ADDRESS = """
import http from "node:http";
const server = http.createServer((_, answer) => answer.end(JSON.stringify(server.address())));
server.listen(%s, () => console.log(server.address().port));
"""


# Another address of this machine's, which the operator opened: to an app it is the world outside.
ELSEWHERE = "127.0.0.3"


@pytest.fixture
def elsewhere() -> Iterator[Modules]:
    with serving(Modules(ELSEWHERE)) as site:
        yield site


def url_of(site: Modules) -> str:
    return f"http://{ELSEWHERE}:{site.server_port}/words"


@pytest.fixture(scope="module")
def networked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("networked") / "data"
    with RunningSubhosting(data_dir, warm_up=5, open_addresses=[ELSEWHERE]) as running:
        yield running


@pytest.fixture(scope="module")
def attempts(networked: RunningSubhosting) -> str:
    """Return the host of an app that tries what it is told."""
    live = networked.deployed(networked.new_project()["id"], {"main.ts": ATTEMPTS})
    assert live["status"] == "success", networked.build_log(live["id"])
    host: str = live["domains"][0]
    return host


def outcome(server: RunningSubhosting, host: str, way: str, url: str) -> str:
    with server.connect() as connection:
        body = json.dumps({"way": way, "url": url}).encode()
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
            % (server.authority(host).encode(), len(body), body)
        )
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer.partition(b"\r\n\r\n")[2].decode()


@contextmanager
def listening() -> Iterator[tuple[socket.socket, int]]:
    """Give a listener on our own loopback interface that nobody may reach."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener, listener.getsockname()[1]


def test_the_level_is_reached_and_its_layer_named(networked: RunningSubhosting) -> None:
    found = stored_isolation(networked.data_dir)

    assert found is not None
    assert found["level"] == "L3"
    layers = found["layers"]
    assert isinstance(layers, list)
    assert "own-network" in layers


@pytest.mark.parametrize("way", ["fetch", "node"])
def test_requests_go_out_by_the_proxy(
    networked: RunningSubhosting, attempts: str, elsewhere: Modules, way: str
) -> None:
    elsewhere.files["/words"] = "from outside"

    assert outcome(networked, attempts, way, url_of(elsewhere)) == "200 from outside"


@pytest.mark.parametrize(
    ("way", "host"),
    [
        ("raw", "127.0.0.1"),
        ("raw", "[::1]"),
        ("raw", "localhost"),
        ("fetch", "127.0.0.1"),
        ("fetch", "2130706433"),
        ("fetch", "127.0.0.2"),
        ("fetch", "[::ffff:127.0.0.1]"),
        ("fetch", "10.255.255.1"),
        ("fetch", "[fd00::1]"),
        ("fetch", "169.254.169.254"),
        ("node", "127.0.0.1"),
        ("node", "127.0.0.2"),
    ],
)
def test_nothing_of_ours_is_reached(
    networked: RunningSubhosting, attempts: str, way: str, host: str
) -> None:
    with listening() as (listener, port):
        answer = outcome(networked, attempts, way, f"http://{host}:{port}/")

        assert not answer.startswith(("200", "connected")), answer
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(("way", "words"), [("raw", "unreachable"), ("datagram", "Error send ")])
@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.1"])
def test_there_is_no_way_out_but_the_proxy(
    networked: RunningSubhosting, attempts: str, way: str, words: str, address: str
) -> None:
    answer = outcome(networked, attempts, way, f"http://{address}:81/")

    assert words in answer


def test_a_list_of_hosts_holds_in_the_proxy_too(
    networked: RunningSubhosting, elsewhere: Modules
) -> None:
    elsewhere.files["/words"] = "from outside"
    project = networked.new_project()["id"]
    for net, expected in (
        ([ELSEWHERE], {"fetch": "200 from outside", "node": "200 from outside"}),
        (["other.test"], {"fetch": "NotCapable ", "node": "NotCapable "}),
    ):
        live = networked.deployed(project, {"main.ts": ATTEMPTS}, permissions={"net": net})
        for way, words in expected.items():
            answer = outcome(networked, live["domains"][0], way, url_of(elsewhere))

            assert answer.startswith(words)


@pytest.mark.parametrize("where", ["3000", '8000, "0.0.0.0"', '{port: 8080, host: "127.0.0.1"}'])
def test_an_app_gets_the_address_that_it_asked_for_and_so_does_the_next(
    networked: RunningSubhosting, where: str
) -> None:
    project = networked.new_project()["id"]
    app = {"main.ts": ASKS_FOR_ITS_ADDRESS % where}
    first, second = networked.deployed(project, app), networked.deployed(project, app)

    answers = [networked.get(live["domains"][0]).json for live in (first, second)]
    assert answers[0] == answers[1]
    assert answers[0]["port"] in {3000, 8000, 8080}


def test_its_log_comes_with_levels(networked: RunningSubhosting) -> None:
    app = {"main.ts": 'console.warn("careful"); Deno.serve(() => new Response("x"));'}
    live = networked.deployed(networked.new_project()["id"], app)
    path = f"/v1/deployments/{live['id']}/app_logs?since=2020-01-01T00:00:00Z"

    wait_until(
        lambda: (
            ("warning", "careful")
            in [(line["level"], line["message"]) for line in networked.call("GET", path).json]
        ),
        "a warning",
    )


def test_a_command_of_a_build_has_no_other_way_out(
    networked: RunningSubhosting, elsewhere: Modules
) -> None:
    elsewhere.files["/words"] = "words"
    app: Json = new_app(networked)
    connects = f"""
try {{ await Deno.connect({{ hostname: "127.0.0.1", port: {elsewhere.server_port} }}); }}
catch (error) {{ console.log("here", error.name); }}
try {{ await Deno.connect({{ hostname: "192.0.2.1", port: 80 }}); }}
catch (error) {{ console.log("there", error.name); }}
const answer = await fetch("{url_of(elsewhere)}");
Deno.mkdirSync("dist");
Deno.writeTextFileSync("dist/made.txt", await answer.text());"""
    live = deployed(
        networked,
        app["id"],
        {"main.ts": SERVES_A_FILE, "make.ts": connects},
        config=with_commands(build="deno run -A make.ts"),
    )

    assert live["status"] == "succeeded", said(networked, live["id"])
    heard = said(networked, live["id"], "building")
    assert "here ConnectionRefused" in heard
    assert "there NetworkUnreachable" in heard
    assert networked.get(f"{app['slug']}.localhost").text == "words"
