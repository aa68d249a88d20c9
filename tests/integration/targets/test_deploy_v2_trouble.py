"""Deploys by v2 whose answers are lost, late or no: never a second revision for one deployment."""

import gzip
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import zstandard

from bot.adapters.targets import compression
from bot.core.model.config import Recipe
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.ports.target import Order
from tests.fakes.apps import App, hello
from tests.fakes.subhosting.server import Answer, Request
from tests.integration.targets.deno_bench import DenoBench

KEY = "d00000000001"
LARGE = App(files={"main.ts": b"", "large.txt": "long äöü\n".encode() * 200_000})
TROUBLE = {"error": {"code": "TROUBLE", "message": "no"}}


def after_creating(bench: DenoBench, answer: Answer) -> None:
    """Let the next deploy make its revision and answer something else."""

    def fault(request: Request) -> Answer:
        assert bench.deno.answer(request)[0] == 202
        return answer

    bench.disturb("/deploy", fault)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_deploy_that_broke_after_it_was_made_is_found_again(
    bench: DenoBench, status: int
) -> None:
    app = hello()
    after_creating(bench, (status, TROUBLE))
    with pytest.raises(TargetUnavailable):
        bench.target.create(app.order(KEY), app.read)

    made = bench.target.create(app.order(KEY), app.read)

    assert list(bench.deno.revisions) == [made.id]
    assert made.transfer.files_sent == 0


@pytest.mark.parametrize("looks", [1, 2])
def test_a_revision_that_is_listed_late_is_waited_for(bench: DenoBench, looks: int) -> None:
    app = hello()
    after_creating(bench, (502, TROUBLE))
    with pytest.raises(TargetUnavailable):
        bench.target.create(app.order(KEY), app.read)
    (first,) = bench.deno.revisions
    bench.deno.unlisted_looks = looks

    made = bench.target.create(app.order(KEY), app.read)

    assert made.id == first
    assert list(bench.deno.revisions) == [first]
    assert bench.clock.slept == [timedelta(seconds=2)]


def test_a_process_that_died_after_deploying_finds_its_revision(bench: DenoBench) -> None:
    app = hello()
    first = bench.target.create(app.order(KEY), app.read)
    restarted = bench.restarted()

    again = restarted.create(app.order(KEY), app.read)

    restarted.close()
    assert again.id == first.id
    assert list(bench.deno.revisions) == [first.id]


def test_a_refusal_for_now_says_when_to_come_back(bench: DenoBench) -> None:
    app = hello()
    bench.disturb("/deploy", lambda _: (429, TROUBLE, {"Retry-After": "17"}))

    with pytest.raises(TargetUnavailable) as caught:
        bench.target.create(app.order(KEY), app.read)

    assert caught.value.retry_after == timedelta(seconds=17)
    assert len(bench.deno.deploys()) == 1
    assert bench.target.create(app.order(KEY), app.read).id in bench.deno.revisions


def test_of_two_revisions_of_one_deployment_the_first_stays(bench: DenoBench) -> None:
    app = hello()
    first = bench.target.create(app.order(KEY), app.read)
    twin = replace(bench.deno.revisions[first.id], id="r0000000twin")
    twin.made_at += timedelta(seconds=5)
    bench.deno.revisions[twin.id] = twin

    made = bench.target.create(app.order(KEY), app.read)

    assert made.id == first.id
    assert list(bench.deno.revisions) == [first.id]


def test_a_lost_answer_is_found_on_a_later_page_of_a_platform_that_lists_the_oldest_first(
    bench: DenoBench,
) -> None:
    app = hello()
    bench.deno.oldest_first = True
    for number in range(150):
        bench.target.create(app.order(f"d{number}"), app.read)

    again = bench.target.create(app.order("d149"), app.read)

    assert again.transfer.files_sent == 0
    assert len(bench.deno.revisions) == 150


# How a body travels.


def body_of(bench: DenoBench) -> Request:
    (request,) = bench.deno.deploys()[-1:]
    return request


@pytest.mark.parametrize("zstd", [True, False])
def test_a_body_is_compressed_where_the_server_takes_it(
    bench: DenoBench,
    monkeypatch: pytest.MonkeyPatch,
    zstd: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(compression, "ZSTD", zstd)
    bench.target._api.compresses = True
    bench.deno.accepts = "zstd, gzip"

    made = bench.target.create(LARGE.order(KEY), LARGE.read)

    request = body_of(bench)
    assert request.headers["content-encoding"] == ("zstd" if zstd else "gzip")
    plain = (
        zstandard.ZstdDecompressor().decompressobj().decompress(request.body)
        if zstd
        else gzip.decompress(request.body)
    )
    assert json.loads(plain)["assets"]["large.txt"]["content"] == LARGE.files["large.txt"].decode()
    assert made.transfer.bytes_sent == len(request.body) < len(plain) / 10


@pytest.mark.parametrize("accepts", [None, "identity", "br", "gzip;q=0", "gzip;q=x, zstd;q=0.0"])
def test_a_body_goes_plain_to_a_server_that_does_not_say_so(
    bench: DenoBench, accepts: str | None
) -> None:
    bench.target._api.compresses = True
    bench.deno.accepts = accepts

    bench.target.create(LARGE.order(KEY), LARGE.read)

    assert "content-encoding" not in body_of(bench).headers


def test_a_body_goes_plain_over_the_loopback_interface(bench: DenoBench) -> None:
    bench.deno.accepts = "zstd, gzip"

    bench.target.create(LARGE.order(KEY), LARGE.read)

    assert "content-encoding" not in body_of(bench).headers


def test_a_coding_that_is_refused_after_all_is_not_used_again(bench: DenoBench) -> None:
    bench.target._api.compresses = True
    bench.deno.accepts = "zstd, gzip"
    bench.disturb("/deploy", lambda _: (415, TROUBLE))

    made = bench.target.create(LARGE.order(KEY), LARGE.read)

    assert [request.headers.get("content-encoding") for request in bench.deno.deploys()] == [
        "zstd",
        None,
    ]
    assert made.id in bench.deno.revisions


def test_a_server_that_wants_the_length_gets_it(bench: DenoBench) -> None:
    bench.disturb("/deploy", lambda _: (411, TROUBLE))

    bench.target.create(LARGE.order(KEY), LARGE.read)
    bench.target.create(LARGE.order("d00000000002"), LARGE.read)

    chunked, *measured = [request.headers for request in bench.deno.deploys()]
    assert "content-length" not in chunked
    assert all("transfer-encoding" not in headers for headers in measured)
    assert [headers["content-length"] for headers in measured] == [
        str(len(request.body)) for request in bench.deno.deploys()[1:]
    ]


def test_a_server_that_never_takes_the_body_is_believed(bench: DenoBench) -> None:
    for _ in range(2):
        bench.disturb("/deploy", lambda _: (411, TROUBLE))

    with pytest.raises(TargetRefused, match="411"):
        bench.target.create(LARGE.order(KEY), LARGE.read)


# What it says of the build.


def config_of(bench: DenoBench, order: Order) -> object:
    app = hello()
    bench.target.create(order, app.read)
    document = body_of(bench).json()
    return document.get("config", "inherited")


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (
            Recipe(entrypoint="main.ts"),
            {
                "install": "deno install",
                "runtime": {"type": "dynamic", "entrypoint": "main.ts"},
            },
        ),
        (
            Recipe(install="", build="deno task build", predeploy="deno task migrate"),
            {
                "install": None,
                "build": "deno task build",
                "predeploy": "deno task migrate",
                "runtime": {"type": "dynamic", "entrypoint": "main.ts"},
            },
        ),
        (Recipe(framework="astro"), {"framework": "astro"}),
        (
            Recipe(framework="astro", install="npm ci", predeploy=""),
            {"framework": "astro", "install": "npm ci", "predeploy": None},
        ),
    ],
)
@pytest.mark.parametrize("deno_json_builds", [True, False])
def test_a_recipe_stands_above_everything(
    bench: DenoBench,
    recipe: Recipe,
    expected: object,
    deno_json_builds: bool,  # noqa: FBT001
) -> None:
    order = replace(hello().order(), recipe=recipe, deno_json_builds=deno_json_builds)

    assert config_of(bench, order) == expected


def test_an_app_that_says_itself_how_it_is_built_is_left_to_the_platform(
    bench: DenoBench,
) -> None:
    order = replace(hello().order(), deno_json_builds=True)

    assert config_of(bench, order) == "inherited"


def test_a_site_of_one_page_says_so(bench: DenoBench) -> None:
    app = App(files={"main.ts": b"", "public/index.html": b"<h1>hi</h1>"})
    order = replace(app.order(entrypoint="public/index.html"), recipe=Recipe(spa=True))

    bench.target.create(order, app.read)

    config = body_of(bench).json()["config"]
    assert config == {
        "install": "deno install",
        "runtime": {"type": "static", "cwd": "public", "spa": True},
    }
