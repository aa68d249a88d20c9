"""The adapter on the wire: which requests it makes, and what it does when they go wrong."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.model.errors import ConfigurationProblem, TargetRefused, TargetUnavailable
from bot.core.model.ids import BlobSha, CommitSha, HostLabel, TargetDeploymentId
from bot.core.model.manifest import FileAsset
from bot.kernel.git_hash import blob_sha1
from bot.ports.target import Building, Built
from tests.data import hostile
from tests.fakes.apps import App, hello
from tests.fakes.subhosting.patience import PatientClock
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN, Json
from tests.fakes.subhosting.server import Answer, FakeServer, Request, serving
from tests.fakes.target import HANGS

HEAD = CommitSha("a" * 40)
LABEL = HostLabel("hello--main")

Fault = Callable[[Request], Answer | None]


@dataclass
class Bench:
    server: FakeServer
    clock: PatientClock
    target: SubhostingV1Target
    platform: Platform

    def creates(self) -> list[Request]:
        made = [r for r in self.server.requests if r.path.endswith("/deployments")]
        return [request for request in made if request.method == "POST"]


def bench_of(server: FakeServer, dialect: Dialect) -> Bench:
    platform = Platform(
        name="subhosting",
        api_url=server.api_url,
        token=TOKEN,
        organization=ORGANIZATION,
        previews_url=server.previews_url,
        dialect=dialect,
    )
    clock = PatientClock()
    return Bench(server, clock, SubhostingV1Target(platform, clock), platform)


@pytest.fixture
def embedded() -> Iterator[Bench]:
    with serving(extensions=True) as server:
        bench = bench_of(server, Dialect.EMBEDDED)
        yield bench
        bench.target.close()


@pytest.fixture
def plain() -> Iterator[Bench]:
    with serving(extensions=False) as server:
        bench = bench_of(server, Dialect.PLAIN)
        yield bench
        bench.target.close()


def always(status: int, code: str = "trouble", times: int = 3) -> list[Fault]:
    return [lambda _: (status, {"code": code, "message": "no"})] * times


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


def test_the_create_request_is_as_published(embedded: Bench) -> None:
    app = hello()
    order = replace(app.order(known=[BlobSha(blob_sha1(b""))]), env={"A": "b"}, description="of x")
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


def test_a_lost_answer_does_not_deploy_twice_with_a_key(embedded: Bench) -> None:
    app = hello()
    embedded.target.create(app.order("d00000000001"), app.read)
    embedded.server.lost_answers = 1

    made = embedded.target.create(app.order("d00000000002", known=app.manifest.blobs()), app.read)

    assert list(embedded.server.platform.deployments) == ["d00000000001", made.id]
    assert len(embedded.creates()) == 3


def test_a_lost_answer_is_found_again_by_description(plain: Bench) -> None:
    app = hello()
    plain.target.create(app.order("d00000000001"), app.read)
    plain.server.platform.settle()
    order = app.order("d00000000002", known=app.manifest.blobs())
    plain.server.faults = [pass_on, lose_next(plain)]
    with pytest.raises(TargetUnavailable):
        plain.target.create(order, app.read)
    plain.clock.on_sleep = plain.server.platform.settle  # it is still pending: wait for it

    made = plain.target.create(order, app.read)

    assert list(plain.server.platform.deployments) == ["d00000000001", made.id]
    assert plain.clock.slept == [timedelta(seconds=1)]


def pass_on(_: Request) -> None:
    """Be no fault."""


def lose_next(bench: Bench) -> Fault:
    def lose(_: Request) -> None:
        bench.server.lost_answers = 1

    return lose


def test_a_build_that_never_ends_is_not_waited_for_for_ever(plain: Bench) -> None:
    first, second = hello(main=HANGS), hello()
    plain.target.create(first.order("d00000000001"), first.read)

    made = plain.target.create(second.order("d00000000002"), second.read)

    assert made.id == "d00000000002"
    assert sum(plain.clock.slept, timedelta()) == timedelta(seconds=30)


def test_of_two_with_one_description_the_first_stays(plain: Bench) -> None:
    app = hello()
    project = plain.server.platform.make_project({"name": "hello"})
    twin: Json = {
        "entryPointUrl": "main.ts",
        "envVars": {},
        "assets": {"main.ts": {"kind": "file", "content": "", "encoding": "utf-8"}},
        "description": "previewbot deployment d00000000001",
    }
    first = plain.server.platform.make_deployment(project, twin, None)
    plain.server.platform.make_deployment(project, twin, None)
    plain.server.platform.settle()

    made = plain.target.create(app.order(), app.read)

    assert made.id == first.id
    assert list(plain.server.platform.deployments) == [first.id]


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


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_trouble_of_the_servers_is_tried_three_times(embedded: Bench, status: int) -> None:
    embedded.server.faults = always(status)

    with pytest.raises(TargetUnavailable, match=f"{status} trouble: no"):
        embedded.target.observe(TargetDeploymentId("x"))

    assert len(embedded.server.requests) == 3
    assert embedded.clock.slept == [timedelta(milliseconds=100), timedelta(milliseconds=500)]


def test_trouble_that_passes_is_not_noticed(embedded: Bench) -> None:
    app = hello()
    made = embedded.target.create(app.order(), app.read)
    embedded.server.faults = always(502, times=1)

    assert isinstance(embedded.target.observe(made.id), Building)


def test_a_create_without_a_key_is_never_repeated_by_itself(plain: Bench) -> None:
    app = hello()
    plain.server.faults = [pass_on, pass_on, pass_on, *always(502)]

    with pytest.raises(TargetUnavailable):
        plain.target.create(app.order(), app.read)

    assert len(plain.creates()) == 1


@pytest.mark.parametrize(("status", "code"), [(401, "invalidToken"), (403, "x"), (404, "y")])
def test_a_refusal_keeps_the_platforms_words(embedded: Bench, status: int, code: str) -> None:
    embedded.server.faults = always(status, code)

    with pytest.raises(TargetRefused) as caught:
        embedded.target.observe(TargetDeploymentId("x"))

    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, "no")
    assert len(embedded.server.requests) == 1


@pytest.mark.parametrize("document", [None, [], {}, {"status": "odd"}, "x"])
def test_an_answer_that_is_no_v1_is_refused(embedded: Bench, document: object) -> None:
    embedded.server.faults = [lambda _: (200, document)]

    with pytest.raises(TargetRefused, match="is the URL right"):
        embedded.target.observe(TargetDeploymentId("x"))


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_hostile_words_of_a_platform_come_out_clean(embedded: Bench, text: str) -> None:
    embedded.server.faults = [lambda _: (400, {"code": text, "message": text})]

    with pytest.raises(TargetRefused) as caught:
        embedded.target.observe(TargetDeploymentId("x"))

    assert len(str(caught.value)) < 800
    assert str(caught.value).isprintable() or "\u200d" in str(caught.value)


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
    app = App(files={"main.ts": b"", "large.bin": large, "large.txt": text, "nul": b"\0" * 99})

    made = embedded.target.create(app.order(), app.read)

    (request,) = embedded.creates()
    deployment = embedded.server.platform.deployments[made.id]
    assert request.headers["transfer-encoding"] == "chunked"
    assert deployment.files == app.files
    assert len(request.body) < made.transfer.bytes_sent < len(request.body) + 1000
    assert {json.loads(request.body)["assets"]["nul"]["encoding"]} == {"base64"}


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
    with pytest.raises(TargetRefused, match="PREVIEWBOT_PREVIEWS_URL"):
        target.bind(TargetDeploymentId("x"), LABEL, HEAD)
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
