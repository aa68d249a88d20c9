"""Static sites end to end: created, built, served by the router, moved, and never started."""

import base64
import gzip
import hashlib
import os
from collections.abc import Iterator

import pytest

from bot.kernel.git_hash import blob_sha1
from tests.subhosting.builds.app import deploy, deployed, said
from tests.subhosting.integration.test_router import Wire
from tests.subhosting.server import Answer, Json, RunningSubhosting, request, wait_until
from tests.subhosting.v2.client import new_app, progress

PAGE = "<!doctype html><title>Grüße</title>"
SCRIPT = "console.log(1)\n" * 50
FILES = {
    "index.html": PAGE,
    "docs/index.html": "docs",
    "app.js": SCRIPT,
    "404.html": "lost",
    ".env": "SECRET=1",
}
STATIC = {"runtime": {"type": "static", "cwd": "."}}


@pytest.fixture(scope="module")
def host(server: RunningSubhosting) -> str:
    """One site for all tests that only look at it."""
    app = new_app(server)
    assets = {path: {"kind": "file", "content": content} for path, content in FILES.items()}
    assets["app.js.gz"] = binary(gzip.compress(SCRIPT.encode()))
    assets["same.js"] = {"kind": "symlink", "target": "app.js"}
    made = server.call(
        "POST", f"/v2/apps/{app['id']}/deploy", {"assets": assets, "config": STATIC}
    )
    assert made.status == 202, made
    progress(server, made.json["id"])
    return f"{app['slug']}.localhost"


@pytest.fixture
def wire(server: RunningSubhosting) -> Iterator[Wire]:
    with server.connect() as connection:
        found = Wire(connection)
        with found.file:
            yield found


def binary(content: bytes) -> Json:
    text = base64.b64encode(content).decode()
    return {"kind": "file", "content": text, "encoding": "base64"}


def ask(server: RunningSubhosting, host: str, method: str, path: str, **fields: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in fields.items()}
    return request(
        server.previews_port, method, path, headers={"Host": server.authority(host), **sent}
    )


def test_a_site_is_served_without_any_process(server: RunningSubhosting, host: str) -> None:
    before = server.instances()

    answer = server.get(host)

    assert (answer.status, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["etag"] == f'"{blob_sha1(PAGE.encode())}"'
    assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["content-length"] == str(len(PAGE.encode()))
    assert server.instances() == before


def test_head_says_the_same_and_sends_nothing(server: RunningSubhosting, host: str) -> None:
    whole, head = server.get(host), ask(server, host, "HEAD", "/")

    assert (head.status, head.body) == (200, b"")
    assert {**head.headers} == {**whole.headers}


def test_what_is_known_is_not_sent_again(server: RunningSubhosting, host: str) -> None:
    first = server.get(host)

    by_tag = server.get(host, **{"If-None-Match": first.headers["etag"]})
    by_date = server.get(host, **{"If-Modified-Since": first.headers["last-modified"]})

    assert (by_tag.status, by_tag.body) == (by_date.status, by_date.body) == (304, b"")
    assert by_tag.headers["etag"] == first.headers["etag"]
    assert "content-length" not in by_tag.headers


def test_parts_of_a_file(server: RunningSubhosting, host: str) -> None:
    one = server.get(host, "/app.js", Range="bytes=3-6")
    two = server.get(host, "/app.js", Range="bytes=0-2,10-11")
    none = server.get(host, "/app.js", Range="bytes=9999999-")

    assert (one.status, one.text) == (206, SCRIPT[3:7])
    assert one.headers["content-range"] == f"bytes 3-6/{len(SCRIPT)}"
    assert two.status == 206
    boundary = two.headers["content-type"].partition("boundary=")[2]
    kind = "text/javascript; charset=utf-8"
    assert two.text == (
        f"\r\n--{boundary}\r\ncontent-type: {kind}\r\n"
        f"content-range: bytes 0-2/{len(SCRIPT)}\r\n\r\ncon"
        f"\r\n--{boundary}\r\ncontent-type: {kind}\r\n"
        f"content-range: bytes 10-11/{len(SCRIPT)}\r\n\r\ng("
        f"\r\n--{boundary}--\r\n"
    ).replace("g(", SCRIPT[10:12])
    assert (none.status, none.headers["content-range"]) == (416, f"bytes */{len(SCRIPT)}")


def test_a_compressed_form_is_sent_to_those_who_read_it(
    server: RunningSubhosting, host: str
) -> None:
    plain = server.get(host, "/app.js")
    packed = server.get(host, "/app.js", **{"Accept-Encoding": "gzip, br"})

    assert plain.text == SCRIPT
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body).decode() == SCRIPT
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


def test_folders_links_and_what_is_hidden(server: RunningSubhosting, host: str) -> None:
    moved = server.get(host, "/docs?x=1")

    assert (moved.status, moved.headers["location"]) == (302, "./docs/?x=1")
    assert server.get(host, "/docs/").text == "docs"
    assert server.get(host, "/same.js").text == SCRIPT
    for path in ("/.env", "/%2eenv", "/nothing", "//docs"):
        lost = server.get(host, path)
        assert (lost.status, lost.text) == (404, "lost"), path
    assert server.get(host, "/docs/../index.html").status == 400


def test_a_site_is_only_read(server: RunningSubhosting, host: str) -> None:
    refused = ask(server, host, "POST", "/")

    assert refused.status == 405
    assert refused.headers["allow"] == "GET, HEAD"


def test_pipelined_requests_and_bodies_that_nobody_wants(wire: Wire, host: str) -> None:
    line = f"Host: {host}\r\n"
    wire.socket.sendall(
        (
            f"GET / HTTP/1.1\r\n{line}\r\n"
            f"GET /docs/ HTTP/1.1\r\n{line}Content-Length: 4\r\n\r\nbody"
            f"HEAD /app.js HTTP/1.1\r\n{line}\r\n"
        ).encode()
        + f"GET /nothing HTTP/1.1\r\n{line}\r\n".encode() * 300
        + f"GET /app.js HTTP/1.1\r\n{line}Connection: close\r\n\r\n".encode()
    )

    assert wire.answer()[2] == PAGE.encode()
    assert wire.answer()[2] == b"docs"
    assert wire.answer(head=True)[1]["content-length"] == str(len(SCRIPT))
    assert {wire.answer()[2] for _ in range(300)} == {b"lost"}
    assert wire.answer()[2] == SCRIPT.encode()
    assert wire.file.read() == b""


def test_a_slow_visitor_costs_no_memory_and_gets_every_byte(server: RunningSubhosting) -> None:
    content = os.urandom(24 * 1024 * 1024)
    project = server.new_project()["id"]
    files = {"index.html": "x", "big.bin": binary(content)}
    made = server.deployed(project, files, entryPointUrl="index.html")
    assert server.host is not None
    before = _resident(server.host.pid)

    with server.connect() as connection:
        connection.sendall(f"GET /big.bin HTTP/1.0\r\nHost: {made['domains'][0]}\r\n\r\n".encode())
        first = connection.recv(1000)
        others = [server.get(made["domains"][0]).text for _ in range(20)]
        grown = _resident(server.host.pid) - before
        rest = b"".join(iter(lambda: connection.recv(1 << 20), b""))

    assert others == ["x"] * 20
    assert grown < 8 * 1024 * 1024
    body = (first + rest).partition(b"\r\n\r\n")[2]
    assert hashlib.sha256(body).digest() == hashlib.sha256(content).digest()


def test_visitors_that_leave_leave_no_file_open(server: RunningSubhosting) -> None:
    project = server.new_project()["id"]
    made = server.deployed(
        project,
        {"index.html": "x", "big.txt": "x" * 5_000_000},
        entryPointUrl="index.html",
    )
    asked = f"GET /big.txt HTTP/1.1\r\nHost: {made['domains'][0]}\r\n\r\n".encode()
    for _ in range(10):
        with server.connect() as connection:
            connection.sendall(asked)
            connection.recv(10)
    assert server.host is not None
    pid = server.host.pid

    wait_until(lambda: not _open_files(pid, "big.txt"), "every file to be closed")


def test_v1_takes_a_page_for_an_entry_point(server: RunningSubhosting) -> None:
    project = server.new_project()["id"]

    made = server.deployed(
        project, {"site/index.html": "hello", "main.py": ""}, entryPointUrl="site/index.html"
    )

    answer = server.get(made["domains"][0])
    config = server.call("GET", f"/v2/revisions/{made['id']}").json["config"]
    assert (made["status"], answer.text) == ("success", "hello")
    assert config["runtime"] == {"type": "static", "cwd": "site"}
    assert server.get(made["domains"][0], "/main.py").status == 404


def test_v1_redeploys_and_binds_a_site(server: RunningSubhosting) -> None:
    project = server.new_project()["id"]
    made = server.deployed(project, {"index.html": "hello"}, entryPointUrl="index.html")

    again = server.call("POST", f"/v1/deployments/{made['id']}/redeploy", {}).json
    server.build_log(again["id"])
    host = f"own-{made['id'][:8]}.localhost"
    path = f"/v1/deployments/{again['id']}/domains/{host}"
    assert server.call("PUT", path, {"revision": "abc123"}).status == 200

    answer = server.get(host)
    assert (answer.text, answer.headers["x-preview-sha"]) == ("hello", "abc123")
    assert server.get(host, "/x").headers["x-preview-sha"] == "abc123"


def test_a_revision_of_v2_says_what_was_skipped(server: RunningSubhosting) -> None:
    app = new_app(server)

    live = deployed(server, app["id"], {"dist/index.html": "v2"}, config=_static("dist"))

    steps = progress(server, live["id"])[-1]
    as_v1 = server.call("GET", f"/v1/deployments/{live['id']}").json
    assert live["status"] == "succeeded", said(server, live["id"])
    assert live["config"]["runtime"] == {"type": "static", "cwd": "dist"}
    assert (as_v1["status"], server.get(as_v1["domains"][0]).text) == ("success", "v2")
    assert "Serving 1 file without a process" in said(server, live["id"])
    assert steps["installing"]["status"] == steps["building"]["status"] == "skipped"
    assert {each["warmup"]["status"] for each in steps["deploying"]["timelines"]} == {"skipped"}
    assert {each["status"] for each in steps["deploying"]["timelines"]} == {"succeeded"}


def test_promoting_a_site_leads_the_address_back(server: RunningSubhosting) -> None:
    app = new_app(server)
    production = f"{app['slug']}.localhost"
    old = deployed(server, app["id"], {"index.html": "old"}, config=STATIC)
    deployed(server, app["id"], {"index.html": "new"}, config=STATIC)
    before = server.get(production).text

    promoted = server.call("POST", f"/v2/revisions/{old['id']}/promote")

    assert promoted.status in {200, 204}, promoted
    assert (before, server.get(production).text) == ("new", "old")


def test_a_single_page_app(server: RunningSubhosting) -> None:
    app = new_app(server)
    config = {"runtime": {"type": "static", "cwd": "./public/", "spa": True}}

    deployed(server, app["id"], {"public/index.html": "page"}, config=config)

    host = f"{app['slug']}.localhost"
    assert server.get(host, "/any/where?x=1").text == "page"
    assert server.get(host, "/missing.js").status == 404


def test_without_an_entry_point_a_page_decides(server: RunningSubhosting) -> None:
    app = new_app(server)

    found = deployed(server, app["id"], {"dist/index.html": "built", "readme.md": "#"})
    at_the_root = deployed(server, app["id"], {"index.html": "x", "dist/index.html": "y"})
    with_both = deployed(
        server, app["id"], {"index.html": "x", "main.ts": "Deno.serve(() => new Response('y'));"}
    )

    assert found["config"]["runtime"] == {"type": "static", "cwd": "dist"}
    assert at_the_root["config"]["runtime"] == {"type": "static", "cwd": "."}
    assert with_both["config"]["runtime"] == {"type": "dynamic", "entrypoint": "main.ts"}
    assert deploy(server, app["id"], {"readme.md": "#"}).status == 400


def test_what_a_build_leaves_in_a_folder_is_served(server: RunningSubhosting) -> None:
    app = new_app(server)
    build = "mkdir -p dist/in; printf made > dist/index.html; ln -s ../index.html dist/in/x.html"

    live = deployed(server, app["id"], {"a.txt": "a"}, config={"build": build, "framework": ""})

    host = f"{app['slug']}.localhost"
    answer = server.get(host)
    assert live["status"] == "succeeded", said(server, live["id"])
    assert (answer.text, answer.headers["etag"]) == ("made", f'"{blob_sha1(b"made")}"')
    assert server.get(host, "/in/x.html").text == "made"
    assert server.get(host, "/a.txt").status == 404


def test_a_folder_without_files_fails_and_says_so(server: RunningSubhosting) -> None:
    app = new_app(server)

    failed = deployed(server, app["id"], {".env": "x"}, config=STATIC)

    assert failed["status"] == "failed"
    assert said(server, failed["id"])[-1] == "There are no files to serve in '.'"


def test_a_site_outlives_its_host_and_the_loss_of_its_files(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data_dir = tmp_path_factory.mktemp("lost") / "data"
    with RunningSubhosting(data_dir) as server:
        project = server.new_project()["id"]
        made = server.deployed(project, {"index.html": "hello"}, entryPointUrl="index.html")
        host = made["domains"][0]
        server.stop_host()
        server.start_host()
        after_restart = server.get(host)
        # Nothing was built, so it is served from what the project was sent.
        blob = data_dir / "blobs" / project / blob_sha1(b"hello")

        blob.rename(data_dir / "aside")

        lost = server.get(host)
        assert (after_restart.text, lost.status) == ("hello", 503)
        (data_dir / "aside").rename(blob)
        assert server.get(host).text == "hello"


def test_a_site_of_which_nothing_is_built_takes_no_place_of_its_own(
    server: RunningSubhosting,
) -> None:
    project = server.new_project()["id"]
    made = server.deployed(project, {"index.html": "hello"}, entryPointUrl="index.html")

    assert server.get(made["domains"][0]).text == "hello"
    assert not (server.data_dir / "deployments" / made["id"]).exists()


def test_a_deleted_site_is_gone_at_once(server: RunningSubhosting, wire: Wire) -> None:
    project = server.new_project()["id"]
    made = server.deployed(project, {"index.html": "hello"}, entryPointUrl="index.html")
    asked = ("GET / HTTP/1.1", f"Host: {made['domains'][0]}")
    wire.send(*asked)
    before = wire.answer()

    server.call("DELETE", f"/v1/deployments/{made['id']}")
    wire.send(*asked)

    assert (before[0], wire.answer()[0]) == (200, 404)


def test_requests_and_bytes_are_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    data_dir = tmp_path_factory.mktemp("counted") / "data"
    with RunningSubhosting(data_dir, analytics_every=0.1) as server:
        project = server.new_project()["id"]
        made = server.deployed(project, {"index.html": "x" * 10_000}, entryPointUrl="index.html")
        for _ in range(3):
            server.get(made["domains"][0])
        path = f"/v1/projects/{project}/analytics"

        def total(name: str) -> int:
            found = server.call("GET", path).json
            place = [field["name"] for field in found["fields"]].index(name)
            return sum(row[place] for row in found["values"])

        wait_until(lambda: total("requestCount") == 3, "three requests")
        # Those under way are counted with the next look.
        wait_until(lambda: total("networkEgressBytes") > 30_000, "three answers")
        assert total("networkEgressBytes") < 33_000
        assert 0 < total("networkIngressBytes") < 1_000
        assert server.instances() == []


def _static(folder: str) -> Json:
    return {"runtime": {"type": "static", "cwd": folder}}


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 - a pseudo file
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _open_files(pid: int, name: str) -> list[str]:
    folder = f"/proc/{pid}/fd"
    found = []
    for each in os.listdir(folder):  # noqa: PTH208 - they go away meanwhile
        try:
            target = os.readlink(f"{folder}/{each}")  # noqa: PTH115
        except OSError:
            continue
        if target.endswith(name):
            found.append(target)
    return found
