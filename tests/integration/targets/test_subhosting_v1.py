"""The adapter on the wire: which requests it makes, and what it does when they go wrong."""

import json
import threading
from dataclasses import replace

import pytest

from bot.adapters.targets.subhosting_v1 import SubhostingV1Target
from bot.core.model.environment import Context, Environment, Variable
from bot.core.model.errors import ConfigurationProblem, TargetRefused, TargetUnavailable
from bot.core.model.ids import BlobSha, CommitSha, HostLabel, TargetDeploymentId
from bot.core.model.manifest import FileAsset
from bot.kernel.git_hash import blob_sha1
from bot.ports.target import Base, Built
from tests.fakes.apps import App, hello
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN
from tests.fakes.subhosting.server import Answer, Request
from tests.integration.targets.conftest import Bench

HEAD = CommitSha("a" * 40)
LABEL = HostLabel("hello--main")
SECRET = Environment(variables=(Variable(key="A", value="b", context=Context.PREVIEW),))


def test_a_first_create_looks_up_makes_the_project_and_negotiates(embedded: Bench) -> None:
    app = hello()

    embedded.target.create(app.order(), app.read)

    project = next(iter(embedded.server.platform.projects))
    assert embedded.server.asked() == [
        f"GET /v1/organizations/{ORGANIZATION}/projects",
        f"POST /v1/organizations/{ORGANIZATION}/projects",
        f"POST /api/projects/{project}/assets/negotiate",
        f"POST /v1/projects/{project}/deployments",
    ]


def test_a_later_create_is_one_request(embedded: Bench) -> None:
    first, second = hello(), hello(greet=b"changed")
    embedded.target.create(first.order("d00000000001"), first.read)
    embedded.server.requests.clear()

    made = embedded.target.create(
        second.order("d00000000002", known=first.manifest.blobs()), second.read
    )

    (request,) = embedded.server.requests
    assert made.transfer.bytes_sent == len(request.body)


def test_on_a_base_the_body_is_as_large_as_the_change(embedded: Bench) -> None:
    many = {f"pages/{number}.html": b"page %d" % number for number in range(1000)}
    first = App(files={"main.ts": b"1", "old.txt": b"old", **many}, links={"a": "main.ts"})
    second = App(files={"main.ts": b"2", "new.txt": b"new", **many}, links={"a": "new.txt"})
    made = embedded.target.create(first.order("d00000000001"), first.read)
    base = Base(deployment=made.id, manifest=first.manifest)

    again = embedded.target.create(
        second.order("d00000000002", known=first.manifest.blobs(), base=base), second.read
    )

    document = embedded.server.requests[-1].json()
    assert (document["base"], document["assets"]) == (made.id, {})
    assert document["removed"] == ["old.txt"]
    changed = document["changed"]
    assert isinstance(changed, dict)
    assert changed.keys() == {"main.ts", "new.txt", "a"}
    assert again.transfer.bytes_sent < 600
    assert (again.transfer.files_sent, again.transfer.files_total) == (2, 1003)
    found = embedded.server.platform.deployments[again.id]
    assert (found.files, found.links) == (second.files, second.links)


def test_a_base_that_is_not_what_we_remember_is_left_aside(embedded: Bench) -> None:
    first, second = hello(), hello(greet=b"changed")
    made = embedded.target.create(first.order("d00000000001"), first.read)
    wrong = App(files={**first.files, "never.txt": b"there"}, links=first.links).manifest
    base = Base(deployment=made.id, manifest=wrong)

    again = embedded.target.create(
        second.order("d00000000002", known=first.manifest.blobs(), base=base), second.read
    )

    assert embedded.server.platform.deployments[again.id].files == second.files


def test_the_create_request_is_as_published(embedded: Bench) -> None:
    app = hello()
    order = replace(
        app.order(known=[BlobSha(blob_sha1(b""))]), environment=SECRET, description="of x"
    )
    embedded.server.platform.make_project({"name": "hello"}).blobs[blob_sha1(b"")] = b""

    embedded.target.create(order, app.read)

    (request,) = embedded.creates()
    assert request.headers["idempotency-key"] == "d00000000001"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.body))
    assert request.json() == {
        "entryPointUrl": "main.ts",
        "envVars": {"A": "b"},
        "description": "previewbot deployment d00000000001: of x",
        "domains": [],
        "config": {},
        "assets": {
            "main.ts": {
                "kind": "file",
                "encoding": "utf-8",
                "content": app.files["main.ts"].decode(),
            },
            "lib/greet.ts": {
                "kind": "file",
                "encoding": "utf-8",
                "content": app.files["lib/greet.ts"].decode(),
            },
            "static/logo.png": {
                "kind": "file",
                "encoding": "base64",
                "content": "iVBORw0KGgoAAAD/",
            },
            "static/a b\n.txt": {
                "kind": "file",
                "encoding": "utf-8",
                "content": "äöü \u2028 </script>",
            },
            "empty.txt": {"kind": "file", "gitSha1": blob_sha1(b"")},
            "static/empty too": {"kind": "file", "gitSha1": blob_sha1(b"")},
            "current": {"kind": "symlink", "target": "lib/greet.ts"},
        },
    }


def test_bytes_count_every_request_and_every_try(embedded: Bench) -> None:
    app = hello()
    embedded.target.create(app.order("d00000000001"), app.read)
    for project in embedded.server.platform.projects.values():
        project.blobs.clear()
    embedded.server.requests.clear()

    made = embedded.target.create(app.order("d00000000002", known=app.manifest.blobs()), app.read)

    refused, negotiated, accepted = embedded.server.requests
    assert made.transfer.bytes_sent == sum(
        len(request.body) for request in (refused, negotiated, accepted)
    )


def test_what_is_remembered_is_sent_without_a_question(embedded: Bench) -> None:
    first, second = hello(), hello(greet=b"export const greeting = 'bye';\n")
    embedded.target.create(first.order("d00000000001"), first.read)
    embedded.server.requests.clear()

    order = second.order("d00000000002", known=first.manifest.blobs())
    embedded.target.create(order, second.read)

    (request,) = embedded.server.requests
    assert request.path.endswith("/deployments")


def test_after_a_refusal_only_what_was_named_by_hash_alone_is_asked_about(
    embedded: Bench,
) -> None:
    first, second = hello(), hello(greet=b"export const greeting = 'bye';\n")
    embedded.target.create(first.order("d00000000001"), first.read)
    for project in embedded.server.platform.projects.values():
        project.blobs.clear()
    embedded.server.requests.clear()

    order = second.order("d00000000002", known=first.manifest.blobs())
    made = embedded.target.create(order, second.read)

    refused, negotiated, accepted = embedded.server.requests
    assert refused.path == accepted.path
    changed = blob_sha1(second.files["lib/greet.ts"])
    assert changed.encode() not in negotiated.body
    assert sorted(second.read_blobs) == sorted(second.manifest.blobs())
    assert made.transfer.files_sent == 6


def test_negotiation_asks_for_each_hash_once_in_nested_folders(embedded: Bench) -> None:
    app = hello()

    embedded.target.create(app.order(), app.read)

    (request,) = [r for r in embedded.server.requests if r.path.endswith("/negotiate")]
    entries = request.json()["entries"]
    assert isinstance(entries, dict)
    assert sorted(entries) == ["empty.txt", "lib", "main.ts", "static"]
    assert sorted(entries["static"]["entries"]) == ["a b\n.txt", "logo.png"]
    assert entries["empty.txt"] == {"kind": "file", "gitSha1": blob_sha1(b"")}


def test_a_project_that_was_deleted_is_made_again(embedded: Bench) -> None:
    app = hello()
    embedded.target.create(app.order("d00000000001"), app.read)
    embedded.server.platform.projects.clear()

    made = embedded.target.create(app.order("d00000000002", known=app.manifest.blobs()), app.read)

    assert made.transfer.files_sent == 6


def test_a_project_of_a_similar_name_is_not_taken(embedded: Bench) -> None:
    for name in ("hello-2", "xhello", "hello"):
        embedded.server.platform.make_project({"name": name})
    app = hello()

    embedded.target.create(app.order(), app.read)

    assert [d.project.name for d in embedded.server.platform.deployments.values()] == ["hello"]


def test_a_project_that_another_worker_just_made_is_used(embedded: Bench) -> None:
    platform = embedded.server.platform

    def made_meanwhile(_: Request) -> Answer | None:
        platform.make_project({"name": "hello"})
        return 200, []

    embedded.server.faults = [made_meanwhile]
    app = hello()

    embedded.target.create(app.order(), app.read)

    assert len(platform.projects) == 1


def test_a_strangers_server_gets_no_extension(plain: Bench) -> None:
    app = hello()
    made = plain.target.create(app.order(), app.read)
    plain.server.platform.settle()

    plain.target.bind(made.id, LABEL, HEAD)

    assert not [r for r in plain.server.requests if "idempotency-key" in r.headers]
    assert not [r for r in plain.server.requests if "negotiate" in r.path]
    assert plain.server.requests[-1].body == b""


def test_our_server_gets_the_revision_with_the_host(embedded: Bench) -> None:
    app = hello()
    made = embedded.target.create(app.order(), app.read)
    embedded.server.platform.settle()

    embedded.target.bind(made.id, LABEL, HEAD)

    request = embedded.server.requests[-1]
    assert (request.method, request.path.rsplit("/", 1)[1]) == ("PUT", "hello--main.localhost")
    assert request.json() == {"revision": HEAD}


def test_ids_are_data_in_a_path(embedded: Bench) -> None:
    with pytest.raises(TargetRefused):
        embedded.target.observe(TargetDeploymentId("../projects/x?y#z"))

    assert embedded.server.asked() == ["GET /v1/deployments/..%2Fprojects%2Fx%3Fy%23z"]


def test_nobody_there_is_unavailable(embedded: Bench) -> None:
    gone = replace(embedded.platform, api_url="http://127.0.0.1:9/v1")
    target = SubhostingV1Target(gone, embedded.clock)

    with pytest.raises(TargetUnavailable):
        target.create(hello().order(), hello().read)

    target.close()


def test_the_platforms_hosts_are_shown_with_their_port(embedded: Bench) -> None:
    app = hello()
    made = embedded.target.create(app.order(), app.read)
    embedded.server.platform.settle()
    embedded.target.bind(made.id, LABEL, HEAD)

    assert embedded.target.observe(made.id) == Built(
        urls=(f"http://hello--main.localhost:{embedded.server.port}",)
    )


def test_a_large_app_is_streamed_and_arrives_whole(embedded: Bench) -> None:
    large = bytes(range(256)) * 20_000
    text = b"0123456789abcde\n" * 200_000
    odd = text + b"\xff"  # which shows at its end, so that the body is begun again
    files = {"main.ts": b"", "large.bin": large, "large.txt": text, "odd": odd, "nul": b"\0" * 99}
    app = App(files=files)

    made = embedded.target.create(app.order(), app.read)

    (request,) = embedded.creates()
    deployment = embedded.server.platform.deployments[made.id]
    assert request.headers["transfer-encoding"] == "chunked"
    assert deployment.files == app.files
    assert len(request.body) < made.transfer.bytes_sent < 2 * len(request.body) + 1000
    assets = json.loads(request.body)["assets"]
    assert {path: assets[path]["encoding"] for path in ("large.txt", "odd", "nul")} == {
        "large.txt": "utf-8",
        "odd": "base64",
        "nul": "base64",
    }


def test_the_token_is_in_no_text(embedded: Bench) -> None:
    assert TOKEN not in repr(embedded.platform)
    assert TOKEN not in repr(vars(embedded.target))


def test_several_threads_may_deploy_at_once(embedded: Bench) -> None:
    def deploy(number: int) -> None:
        app = hello(greet=b"%d" % number)
        embedded.target.create(app.order(f"d{number:011d}"), app.read)

    threads = [threading.Thread(target=deploy, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(embedded.server.platform.deployments) == 8
    assert len(embedded.server.platform.projects) == 1


def test_without_a_previews_url_nothing_can_be_bound(embedded: Bench) -> None:
    target = SubhostingV1Target(replace(embedded.platform, previews_url=None), embedded.clock)

    assert target.url(LABEL) is None
    assert target.bind(TargetDeploymentId("x"), LABEL, HEAD) is None
    assert embedded.server.requests == []
    target.close()


@pytest.mark.parametrize(
    "previews_url",
    ["", "*", "https://example.dev", "ftp://*.a", "https://*.", "https://*.a/x", "https://*.a:x"],
)
def test_a_previews_url_of_another_form_is_a_configuration_problem(
    embedded: Bench, previews_url: str
) -> None:
    with pytest.raises(ConfigurationProblem, match="PREVIEWBOT_PREVIEWS_URL"):
        SubhostingV1Target(replace(embedded.platform, previews_url=previews_url), embedded.clock)


def test_manifests_of_the_fakes_agree_with_git() -> None:
    asset = hello().manifest.assets["empty.txt"]

    assert asset == FileAsset(BlobSha("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"))
