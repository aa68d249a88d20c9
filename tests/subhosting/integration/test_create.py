"""POST /projects/{id}/deployments, with raw JSON."""

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.subhosting.server import Json, RunningSubhosting

HELLO = 'Deno.serve(() => new Response("hello"));'


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's


def test_a_deployment_is_pending_at_once_and_serves_after_its_build(
    server: RunningSubhosting, project: Json
) -> None:
    made = server.deploy(project["id"], {"main.ts": HELLO})

    assert made.status == 200
    assert made.json["status"] == "pending"
    assert "domains" not in made.json
    server.build_log(made.json["id"])
    live = server.call("GET", f"/v1/deployments/{made.json['id']}").json
    host = f"{project['name']}-{made.json['id']}.localhost"
    assert (live["status"], live["domains"]) == ("success", [host])
    assert server.get(host).text == "hello"


def test_every_kind_of_asset_arrives(server: RunningSubhosting, project: Json) -> None:
    known = os.urandom(2000)
    reader = """Deno.serve(async (request) => {
        const name = new URL(request.url).pathname.slice(1);
        return new Response(await Deno.readFile(new URL(name, import.meta.url)));
    });"""
    binary = {
        "kind": "file",
        "content": base64.b64encode(known).decode(),
        "encoding": "base64",
    }
    server.deployed(project["id"], {"main.ts": HELLO, "old.bin": binary})

    live = server.deployed(
        project["id"],
        {
            "main.ts": {"kind": "file", "content": reader, "encoding": "utf-8"},
            "without_kind.txt": {"content": "k\u00e4se"},
            "deep/er/known.bin": {"kind": "file", "gitSha1": git_sha1(known)},
            "link": {"kind": "symlink", "target": "deep/er/known.bin"},
            "linked-folder": {"kind": "symlink", "target": "./deep/er"},
        },
    )

    host = live["domains"][0]
    assert server.get(host, "/without_kind.txt").body == "k\u00e4se".encode()
    assert server.get(host, "/deep/er/known.bin").body == known
    assert server.get(host, "/link").body == known
    assert server.get(host, "/linked-folder/known.bin").body == known


def test_a_hash_that_only_another_project_knows_is_unknown_word_for_word(
    server: RunningSubhosting, project: Json
) -> None:
    secret = os.urandom(50).hex()
    sha1 = git_sha1(secret.encode())
    asset = {"main.ts": {"kind": "file", "gitSha1": sha1}}
    before = server.deploy(project["id"], asset)
    server.deploy(server.new_project()["id"], {"main.ts": secret})

    after = server.deploy(project["id"], asset)

    assert before.status == after.status == 400
    assert before.body == after.body
    assert after.json["code"] == "assetNotFound"
    assert after.json["missing"] == [{"path": "main.ts", "gitSha1": sha1}]
    assert "main.ts" in after.json["message"]
    assert sha1 in after.json["message"]


def test_a_refused_request_makes_no_deployment_but_keeps_what_it_brought(
    server: RunningSubhosting, project: Json
) -> None:
    missing = {"kind": "file", "gitSha1": git_sha1(b"// missing")}
    refused = server.deploy(project["id"], {"main.ts": HELLO, "lib.ts": missing})

    again = server.deploy(
        project["id"],
        {
            "main.ts": {"kind": "file", "gitSha1": git_sha1(HELLO.encode())},
            "lib.ts": "// missing",
        },
    )

    assert refused.status == 400
    assert again.status == 200
    listed = server.call("GET", f"/v1/projects/{project['id']}/deployments").json
    assert [each["id"] for each in listed] == [again.json["id"]]


def test_the_same_idempotency_key_gives_the_same_deployment_under_race(
    server: RunningSubhosting, project: Json
) -> None:
    def create(number: int) -> str:
        answer = server.deploy(
            project["id"],
            {"main.ts": f"{HELLO} // {number}"},
            headers={"Idempotency-Key": "attempt-1"},
        )
        assert answer.status == 200, answer
        return str(answer.json["id"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(create, range(16)))

    assert len(made) == 1
    listed = server.call("GET", f"/v1/projects/{project['id']}/deployments").json
    assert len(listed) == 1


def test_an_idempotency_key_belongs_to_its_project(
    server: RunningSubhosting, project: Json
) -> None:
    key = {"Idempotency-Key": "same"}
    here = server.deploy(project["id"], {"main.ts": HELLO}, headers=key)
    there = server.deploy(server.new_project()["id"], {"main.ts": HELLO}, headers=key)

    assert here.json["id"] != there.json["id"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../up.ts", "component '..'"),
        ("/etc/passwd", "is absolute"),
        ("a//b", "component ''"),
        ("a/./b", "component '.'"),
        (".git/config", ".git"),
        ("a/.GIT/config", ".git"),
        ("a\0b", "NUL"),
        ("x" * 300, "longer"),
        ("", "path ''"),
        ("main.ts/below", "not a folder"),
    ],
)
def test_an_unsafe_path_is_refused_by_name(
    server: RunningSubhosting, project: Json, path: str, words: str
) -> None:
    answer = server.deploy(project["id"], {"main.ts": HELLO, path: "x"})

    assert (answer.status, answer.json["code"]) == (400, "invalidAssetPath")
    assert repr(path) in answer.json["message"]
    assert words in answer.json["message"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "a/../../x", "", "loop"])
def test_a_symlink_that_leaves_is_refused_by_name(
    server: RunningSubhosting, project: Json, target: str
) -> None:
    link = {"kind": "symlink", "target": target}
    answer = server.deploy(project["id"], {"main.ts": HELLO, "loop": link})

    assert (answer.status, answer.json["code"]) == (400, "invalidSymlink")
    assert "'loop'" in answer.json["message"]


@pytest.mark.parametrize(
    ("entry", "status", "code"),
    [
        ("main.ts", 200, None),
        ("./main.ts", 200, None),
        ("file:///src/main.ts", 200, None),
        ("file:///src/sp%20ace.ts", 200, None),
        ("other.ts", 400, "entryPointNotFound"),
        ("file:///src/other.ts", 400, "entryPointNotFound"),
        ("http://example.com/main.ts", 400, "unsupportedEntryPoint"),
        ("https://name:password@example.com/main.ts", 400, "unsupportedEntryPoint"),
        ("https://example.com/a b.ts", 400, "unsupportedEntryPoint"),
        ("https://[::1/main.ts", 400, "unsupportedEntryPoint"),
        ("npm:express", 400, "entryPointNotFound"),
        ("file:///etc/passwd", 400, "unsupportedEntryPoint"),
        ("", 400, "entryPointNotFound"),
    ],
)
def test_the_entry_point_is_an_asset_unless_it_is_https(
    server: RunningSubhosting, project: Json, entry: str, status: int, code: str | None
) -> None:
    assets = {"main.ts": HELLO, "sp ace.ts": HELLO}
    answer = server.deploy(project["id"], assets, entryPointUrl=entry, domains=[])

    assert answer.status == status, answer
    assert answer.json.get("code") == code


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"assets": {"main.ts": {"kind": "file"}}}, "assets.main.ts.content: "),
        ({"assets": {"main.ts": {"kind": "file", "gitSha1": "xy"}}}, "assets.main.ts.gitSha1: "),
        ({"assets": {"main.ts": {"kind": "symlink"}}}, "assets.main.ts.target: "),
        ({"assets": {"main.ts": 5}}, "assets.main.ts: "),
        ({"assets": {"main.ts": {"content": "x", "encoding": "latin1"}}}, "main.ts.encoding: "),
        ({"assets": []}, "assets: "),
        ({"envVars": None}, "envVars: "),
        ({"envVars": {"A": 1}}, "envVars.A: "),
        ({"envVars": {"DENO_DIR": "/x"}}, "envVars: 'DENO_DIR'"),
        ({"envVars": {"A=B": "x"}}, "envVars: 'A=B'"),
        ({"domains": "x"}, "domains: "),
        ({"domains": ["a.example.com"]}, "domain: 'a.example.com'"),
        ({"domains": ["a.b.localhost"]}, "domain: 'a.b.localhost'"),
        ({"domains": ["{project.id}.localhost"]}, "domain: '{project.id}.localhost'"),
        ({"requestTimeout": 0}, "requestTimeout: "),
        ({"permissions": {"net": ["a,b"]}}, "permissions.net: 'a,b'"),
        ({"databases": {"default": "x"}}, "databases.default: "),
        ({"databases": {"other": "x"}}, "databases.other: "),
        ({"enableCron": True}, "enableCron: "),
        ({"importMapUrl": "x.json"}, "importMapUrl: "),
        ({"lockFileUrl": "http://x.test/deno.lock"}, "lockFileUrl: "),
        ({"compilerOptions": {"jsx": 5}}, "compilerOptions.jsx: "),
    ],
)
def test_wrong_json_is_refused_by_field(
    server: RunningSubhosting, project: Json, change: Json, field: str
) -> None:
    assets = {"main.ts": {"kind": "file", "content": HELLO}}
    body: Json = {"entryPointUrl": "main.ts", "envVars": {}, "assets": assets}
    path = f"/v1/projects/{project['id']}/deployments"
    answer = server.call("POST", path, {**body, **change})

    assert answer.status == 400, answer
    assert field in answer.json["message"]


def test_content_that_is_not_base64_is_refused_by_path(
    server: RunningSubhosting, project: Json
) -> None:
    bad = {"kind": "file", "content": "%%%", "encoding": "base64"}
    answer = server.deploy(project["id"], {"main.ts": HELLO, "bad.bin": bad})

    assert (answer.status, answer.json["code"]) == (400, "invalidAssetContent")
    assert "'bad.bin'" in answer.json["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"\xff"', b'{"a": NaN}'])
def test_what_is_no_json_object_is_a_400(
    server: RunningSubhosting, project: Json, body: bytes
) -> None:
    answer = server.call("POST", f"/v1/projects/{project['id']}/deployments", body)

    assert (answer.status, answer.json["code"]) == (400, "invalidJson")


def test_listed_domains_only(server: RunningSubhosting, project: Json) -> None:
    wanted = ["{project.name}.localhost", "x-{deployment.id}.localhost"]
    listed = server.deployed(project["id"], {"main.ts": HELLO}, domains=wanted)
    none = server.deployed(project["id"], {"main.ts": HELLO}, domains=[])

    assert sorted(listed["domains"]) == sorted(
        [f"{project['name']}.localhost", f"x-{listed['id']}.localhost"]
    )
    assert none["domains"] == []
    assert server.get(f"{project['name']}-{none['id']}.localhost").status == 404


def test_environment_variables_reach_the_app(server: RunningSubhosting, project: Json) -> None:
    app = 'Deno.serve(() => new Response(Deno.env.get("GREETING")));'
    live = server.deployed(project["id"], {"main.ts": app}, envVars={"GREETING": "salut \u00e9"})

    assert server.get(live["domains"][0]).text == "salut \u00e9"
