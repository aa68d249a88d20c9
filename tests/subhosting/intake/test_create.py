"""Creates that stream, that build on another deployment, and that come too often."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.subhosting.intake.limited import HELLO, create_body, git_sha1, post
from tests.subhosting.server import Answer, Json, RunningSubhosting

# Reads the file that the path names.
READER = """Deno.serve(async (request) => {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    try {
        return new Response(await Deno.readFile(new URL(name, import.meta.url)));
    } catch (error) {
        return new Response(error.name, {status: 404});
    }
});"""


def streamed(server: RunningSubhosting, project: str, assets: Json, **fields: object) -> Answer:
    """Deploy with a body above the size that is parsed as a whole."""
    text = json.dumps({"entryPointUrl": "main.ts", "envVars": {}, "assets": assets, **fields})
    return post(server, project, text.encode().ljust(2_000_000))


@pytest.mark.parametrize("members", ["content first", "encoding first"])
@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_large_files_arrive_whole(
    server: RunningSubhosting, project: Json, encoding: str, members: str
) -> None:
    text = '"quoted" \\ back \n k\u00e4se \U0001f600 \x01' * 40_000
    content = os.urandom(1_500_000) if encoding == "base64" else text.encode()
    sent = base64.b64encode(content).decode() if encoding == "base64" else text
    asset = {"kind": "file", "content": sent, "encoding": encoding}
    if members == "encoding first":
        asset = dict(reversed(asset.items()))

    made = streamed(server, project["id"], {"big": asset, "main.ts": {"content": READER}})

    assert made.status == 200, made
    server.build_log(made.json["id"])
    assert server.get(f"{project['name']}-{made.json['id']}.localhost", "/big").body == content


def test_a_streamed_body_is_refused_like_any_other(
    server: RunningSubhosting, project: Json
) -> None:
    good: Json = {"main.ts": {"content": HELLO}}
    padding = {"pad": {"content": "x" * 2_000_000}}
    for assets, words in [
        ({**good, "a": 5}, "assets.a: "),
        ({**good, "a": {"content": 5}}, "assets.a.content: "),
        ({**good, "a": {"content": "x", "encoding": "latin1"}}, "assets.a.encoding: "),
        ({**good, "a": {"content": "%", "encoding": "base64"}}, "'a' is not valid base64"),
        ({**good, "a": {"content": "x", "gitSha1": "0" * 40}}, "'a' has the hash"),
        ({**good, "../a": {"content": "x"}}, "'../a'"),
        ({**good, "a": {"gitSha1": "0" * 40}}, "a (" + "0" * 40),
    ]:
        for whole in (assets, {**padding, **assets}, {**assets, **padding}):
            answer = server.deploy(project["id"], whole)

            assert answer.status == 400, answer
            assert words in answer.json["message"]


def test_nothing_stays_behind_of_what_was_refused(
    server: RunningSubhosting, project: Json
) -> None:
    missing = {"kind": "file", "gitSha1": "0" * 40}
    streamed(server, project["id"], {"main.ts": {"content": HELLO}, "gone": missing})
    streamed(server, project["id"], {"main.ts": {"content": "x" * 999_999}, "../x": missing})

    assert list((server.data_dir / "blobs" / ".incoming").glob("*")) == []


def test_a_body_that_ends_in_the_middle_is_a_400(limited: RunningSubhosting, small: Json) -> None:
    def half() -> Iterator[bytes]:
        pieces = create_body(2_400_000)
        for _ in range(20):
            yield next(pieces)

    answer = post(limited, small["id"], half())

    assert (answer.status, answer.json["code"]) == (400, "invalidJson")


@pytest.fixture
def base(server: RunningSubhosting, project: Json) -> Json:
    """Return a deployment of ten files."""
    files = {f"d/{number}.txt": str(number) for number in range(8)}
    link = {"kind": "symlink", "target": "d/1.txt"}
    return server.deployed(project["id"], {"main.ts": READER, **files, "link": link})


def changed_from(server: RunningSubhosting, below: Json, **fields: object) -> Answer:
    """Create on top of the deployment `below`, unless `fields` say otherwise."""
    body = {"entryPointUrl": "main.ts", "envVars": {}, "base": below["id"], **fields}
    return server.call("POST", f"/v1/projects/{below['projectId']}/deployments", body)


def test_a_deployment_on_a_base_sends_what_changed(server: RunningSubhosting, base: Json) -> None:
    changed = {
        "d/1.txt": {"kind": "file", "content": "new"},
        "d/2.txt": {"kind": "symlink", "target": "3.txt"},
        "link": {"kind": "file", "gitSha1": git_sha1(b"4")},
        "e/added.txt": {"kind": "file", "content": "YWRkZWQ=", "encoding": "base64"},
    }
    made = changed_from(server, base, changed=changed, removed=["d/0.txt"])

    assert made.status == 200, made
    server.build_log(made.json["id"])
    live = server.call("GET", f"/v1/deployments/{made.json['id']}").json["domains"][0]
    paths = ["d/0.txt", "d/1.txt", "d/2.txt", "link", "e/added.txt", "d/7.txt"]
    found = [server.get(live, f"/{path}").text for path in paths]
    assert found == ["NotFound", "new", "3", "4", "added", "7"]
    old = [server.get(base["domains"][0], f"/{path}").text for path in paths]
    assert old == ["0", "1", "2", "1", "NotFound", "7"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"base": "0" * 12}, "baseNotFound", "base: "),
        ({"base": "x\u0000"}, "invalidRequest", "base: "),
        ({"base": None}, "invalidRequest", "assets: "),
        ({"base": None, "assets": {"main.ts": {"content": ""}}}, "baseMissing", "base: "),
        ({"assets": {"main.ts": {"content": ""}}}, "assetsWithBase", "assets: "),
        ({"removed": ["d"]}, "removedPathNotFound", "removed: "),
        ({"removed": ["main.ts"]}, "entryPointNotFound", "entryPointUrl: "),
        ({"changed": {"d": {"content": ""}}}, "invalidAssetPath", "'d/"),
        ({"changed": {"d/1.txt/x": {"content": ""}}}, "invalidAssetPath", "'d/1.txt/x' lies"),
        ({"changed": {"link/x": {"content": ""}}}, "invalidAssetPath", "'link/x' lies"),
        ({"changed": {"../d": {"content": ""}}}, "invalidAssetPath", "changed: "),
        ({"changed": {"d/9": {"gitSha1": "0" * 40}}}, "assetNotFound", "d/9"),
        ({"changed": {"l": {"kind": "symlink", "target": ".."}}}, "invalidSymlink", "'l'"),
    ],
)
def test_what_does_not_fit_on_a_base_is_refused_by_field(
    server: RunningSubhosting, base: Json, change: Json, code: str, words: str
) -> None:
    fields: Json = {"changed": {}, "removed": [], **change}
    answer = changed_from(server, base, **fields)

    assert (answer.status, answer.json["code"]) == (400, code)
    assert words in answer.json["message"]


def test_a_base_of_another_project_is_unknown_word_for_word(
    server: RunningSubhosting, base: Json
) -> None:
    elsewhere = {**base, "projectId": server.new_project()["id"]}
    before = changed_from(server, elsewhere)
    server.call("DELETE", f"/v1/deployments/{base['id']}")
    gone = changed_from(server, base)

    assert before.status == gone.status == 400
    assert before.body == gone.body


def test_an_hour_has_so_many_deployments_and_a_deletion_makes_no_room(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", limits={"deployments_per_hour": 2}) as server:
        project = server.new_project()["id"]
        key = {"Idempotency-Key": "first"}
        first = server.deploy(project, {"main.ts": HELLO}, headers=key)
        server.deploy(project, {"main.ts": "bad"}, domains=["no"])
        second = server.deploy(project, {"main.ts": HELLO})
        server.call("DELETE", f"/v1/deployments/{second.json['id']}")

        third = server.deploy(project, {"main.ts": HELLO})
        again = server.deploy(project, {"main.ts": HELLO}, headers=key)

    assert [first.status, second.status, third.status] == [200, 200, 429]
    assert third.json["code"] == "tooManyDeployments"
    assert "limit" in third.json["message"]
    assert 3_000 < int(third.headers["retry-after"]) <= 3_660
    assert again.json["id"] == first.json["id"]
