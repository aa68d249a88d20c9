"""The v2 adapter on the wire: which requests it makes, and what it does when they go wrong."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.environment import Context, Environment, Variable
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import AppSlug, CommitSha, HostLabel, RepoName, TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.ports.target import Broken, Building, Built, NotServing, Serving, Visits
from tests.fakes.apps import OCTO_HELLO, App, hello
from tests.fakes.deno.platform import TOKEN
from tests.fakes.deno.records import App as FakeApp
from tests.fakes.subhosting.server import Answer, Request
from tests.fakes.target import BREAKS, HANGS
from tests.integration.targets.deno_bench import DenoBench, Fault

HEAD = CommitSha("a" * 40)
LABEL = HostLabel("hello--main")


def test_the_first_deploy_makes_the_branchs_app(bench: DenoBench) -> None:
    app = hello()

    bench.target.create(app.order(), app.read)

    assert bench.asked() == [
        "GET /v2/layers/hello-previews",
        "POST /v2/layers",
        "GET /v2/apps/hello--main",
        "POST /v2/apps",
        "POST /v2/apps/hello--main/deploy",
    ]
    (made,) = bench.deno.apps.values()
    assert made.labels == {
        "custom.managed-by": "previewbot",
        "custom.repo": "octo/hello",
        "custom.repo-id": "7",
        "custom.app": "hello",
        "custom.branch": "main",
    }


def test_a_deploy_is_a_preview_with_every_file_inline(bench: DenoBench) -> None:
    app = hello()
    order = replace(
        app.order(known=app.manifest.blobs()),
        environment=Environment(
            variables=(Variable(key="A", value="b", context=Context.BRANCH, secret=False),)
        ),
    )

    made = bench.target.create(order, app.read)

    (request,) = bench.deno.deploys()
    body = json.loads(request.body)
    assert (body["production"], body["preview"]) == (False, True)
    assert body["labels"] == {"custom.deployment": "d00000000001"}
    assert body["config"]["runtime"] == {"type": "dynamic", "entrypoint": "main.ts"}
    assert body["env_vars"] == [{"key": "A", "value": "b"}]
    assert body["assets"]["current"] == {"kind": "symlink", "target": "lib/greet.ts"}
    assert {path for path, each in body["assets"].items() if each["kind"] == "file"} == set(
        app.files
    )
    assert made.transfer.files_sent == made.transfer.files_total == 7
    assert made.transfer.bytes_sent == len(request.body)


def test_a_page_as_entry_point_is_a_static_runtime(bench: DenoBench) -> None:
    app = App(files={"main.ts": b"", "dist/index.html": b"<h1>hi</h1>"})

    bench.target.create(app.order(entrypoint="dist/index.html"), app.read)

    (request,) = bench.deno.deploys()
    assert json.loads(request.body)["config"]["runtime"] == {"type": "static", "cwd": "dist"}


def test_a_lost_answer_is_found_again_by_its_label(bench: DenoBench) -> None:
    app = hello()
    bench.deployed(app, "d00000000001")
    bench.deno.faults = [lambda _: None, lose_the_next(bench)]
    with pytest.raises(TargetUnavailable):
        bench.target.create(app.order("d00000000002"), app.read)

    made = bench.target.create(app.order("d00000000002"), app.read)

    assert list(bench.deno.revisions) == ["r00000000001", made.id]
    assert len(bench.deno.deploys()) == 2
    assert made.transfer.files_sent == 0


def lose_the_next(bench: DenoBench) -> Fault:
    def lose(_: Request) -> None:
        bench.deno.lost_answers = 1

    return lose


def test_an_app_of_somebody_elses_is_not_touched(bench: DenoBench) -> None:
    app = hello()
    stranger = replace(app.order(), repository=replace(OCTO_HELLO, name=RepoName("octo/other")))
    bench.deno.apps["app-1"] = FakeApp(id="app-1", slug="hello--main", labels={})

    with pytest.raises(TargetRefused, match="is not octo/other's"):
        bench.target.create(stranger, app.read)

    assert bench.deno.deploys() == []


def test_an_app_that_another_worker_made_meanwhile_is_used(bench: DenoBench) -> None:
    def made_meanwhile(_: Request) -> Answer:
        labels = {"custom.managed-by": "previewbot", "custom.repo": "octo/hello"}
        bench.deno.apps["app-1"] = FakeApp(id="app-1", slug="hello--main", labels=labels)
        return 404, {"error": {"code": "APP_NOT_FOUND", "message": "no"}}

    bench.deno.faults = [*[lambda _: None] * 2, made_meanwhile]
    app = hello()

    bench.target.create(app.order(), app.read)

    assert len(bench.deno.apps) == 1
    assert len(bench.deno.deploys()) == 1


def test_an_app_that_was_deleted_behind_our_back_is_made_anew(bench: DenoBench) -> None:
    app = hello()
    bench.target.create(app.order("d00000000001"), app.read)
    bench.deno.apps.clear()

    bench.target.create(app.order("d00000000002"), app.read)

    assert [each.slug for each in bench.deno.apps.values()] == ["hello--main"]


def test_a_build_is_over_when_its_hosts_are_listed(bench: DenoBench) -> None:
    made = bench.target.create(hello().order(), hello().read).id
    bench.deno.revisions[made].status = "succeeded"
    bench.deno.revisions[made].looks_to_list = 2

    assert bench.target.observe(made) == Building()
    url = f"http://hello--main-{made}.localhost:{bench.deno.port}"
    assert bench.target.observe(made) == Built(urls=(url,))


def test_a_status_from_the_future_is_not_an_end(bench: DenoBench) -> None:
    made = bench.target.create(hello().order(), hello().read).id
    bench.deno.revisions[made].status = "pondering"

    assert bench.target.observe(made) == Building()


def test_a_skipped_build_is_a_broken_one(bench: DenoBench) -> None:
    made = bench.target.create(hello().order(), hello().read).id
    bench.deno.revisions[made].status = "skipped"

    assert bench.target.observe(made) == Broken(log=(LogLine(level="warning", message="hm"),))


def test_a_promoted_revision_has_the_branchs_host(bench: DenoBench) -> None:
    older = bench.deployed(hello(), "d00000000001")
    newer = bench.deployed(hello(greet=b"export {};"), "d00000000002")
    url = bench.target.bind(older, LABEL, HEAD)
    assert url == f"http://hello--main.localhost:{bench.deno.port}"
    assert bench.target.probe(url, older, HEAD) == Serving(verified=True, status=200)

    assert bench.target.bind(newer, LABEL, HEAD) == url

    assert bench.target.probe(url, newer, HEAD) == Serving(verified=True, status=200)
    assert isinstance(bench.target.probe(url, older, HEAD), NotServing)


def test_a_promotion_that_is_not_listed_yet_may_be_asked_for_again(bench: DenoBench) -> None:
    made = bench.deployed(hello())
    bench.deno.revisions[made].looks_to_list = 2

    with pytest.raises(TargetUnavailable, match="does not list"):
        bench.target.bind(made, LABEL, HEAD)

    assert bench.target.bind(made, LABEL, HEAD) is not None


def test_a_build_that_runs_is_cancelled_and_removed(bench: DenoBench) -> None:
    made = bench.target.create(hello(main=HANGS).order(), hello(main=HANGS).read).id

    bench.target.cancel(made)
    bench.target.cancel(made)

    assert bench.deno.revisions == {}


def test_what_is_in_production_survives_a_late_cancellation(bench: DenoBench) -> None:
    made = bench.deployed(hello())
    bench.target.bind(made, LABEL, HEAD)

    bench.target.cancel(made)

    assert list(bench.deno.revisions) == [made]


def test_a_broken_build_says_why(bench: DenoBench) -> None:
    made = bench.deployed(hello(main=BREAKS))

    seen = bench.target.observe(made)

    assert isinstance(seen, Broken)
    assert any("SyntaxError" in line.message for line in seen.log)


def test_a_nested_error_is_read(bench: DenoBench) -> None:
    with pytest.raises(TargetRefused) as caught:
        bench.target.observe(TargetDeploymentId("../apps/x?y#z"))

    assert (caught.value.code, caught.value.status) == ("REVISION_NOT_FOUND", 404)
    assert bench.deno.requests[-1].path == "/v2/revisions/..%2Fapps%2Fx%3Fy%23z"


def test_too_many_deploys_are_waited_for_and_then_sent(bench: DenoBench) -> None:
    app = hello()
    busy: Fault = lambda _: (429, {"error": {"code": "TOO_MANY", "message": "slow"}})  # noqa: E731
    bench.deno.faults = [*[lambda _: None] * 4, busy]

    with pytest.raises(TargetUnavailable, match="429 TOO_MANY"):
        bench.target.create(app.order(), app.read)

    assert bench.target.create(app.order(), app.read).id == "r00000000001"


def test_a_large_app_is_streamed(bench: DenoBench) -> None:
    large = bytes(range(256)) * 20_000
    odd = b"0123456789abcde\n" * 200_000 + b"\xff"  # no text, which shows at its end
    app = App(files={"main.ts": b"", "large.bin": large, "odd": odd})

    bench.target.create(app.order(), app.read)

    (request,) = bench.deno.deploys()
    sent = json.loads(request.body)["assets"]
    assert request.headers["transfer-encoding"] == "chunked"
    assert base64.b64decode(sent["large.bin"]["content"]) == large
    assert base64.b64decode(sent["odd"]["content"]) == odd


def test_the_token_is_in_no_text(bench: DenoBench) -> None:
    assert TOKEN not in repr(vars(bench.target))


def test_a_branch_that_is_gone_takes_its_app_along(bench: DenoBench) -> None:
    made = bench.deployed(hello())
    bench.target.bind(made, LABEL, HEAD)

    bench.target.remove(AppSlug("hello--main"), OCTO_HELLO, [made])

    assert (bench.deno.apps, bench.deno.revisions) == ({}, {})


def test_somebody_elses_app_is_not_removed(bench: DenoBench) -> None:
    bench.deno.apps["app-1"] = FakeApp(id="app-1", slug="hello--main", labels={})

    bench.target.remove(AppSlug("hello--main"), OCTO_HELLO, [])

    assert list(bench.deno.apps) == ["app-1"]


@pytest.mark.parametrize(
    ("requests", "last_at"),
    [([0, 0], None), ([3, 0], timedelta(minutes=15)), ([3, 1], timedelta(minutes=30))],
)
def test_the_last_quarter_that_had_a_visitor_ends_with_the_last_visit(
    bench: DenoBench, requests: list[int], last_at: timedelta | None
) -> None:
    made = bench.deployed(hello())
    now = bench.clock.now()
    start = now - timedelta(hours=3)
    bench.deno.analytics = [
        [(start + number * timedelta(minutes=15)).isoformat(), count, 0, 0]
        for number, count in enumerate(requests)
    ]

    told = bench.target.visits(AppSlug("hello--main"), made)

    assert told == Visits(
        last_at=None if last_at is None else start + last_at,
        since=now - timedelta(hours=23, minutes=45),
    )


def test_an_app_that_is_not_there_tells_of_no_visits(bench: DenoBench) -> None:
    gone = AppSlug("hello--gone")

    assert bench.target.visits(gone, TargetDeploymentId("r")) is None
