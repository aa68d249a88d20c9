"""What every target promises, whatever is behind it."""

import pytest

from bot.core.model.errors import SourceUnavailable, TargetRefused
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    CommitSha,
    HostLabel,
    TargetDeploymentId,
)
from bot.kernel.git_hash import blob_sha1
from bot.ports.target import Base, Broken, Built, NotServing, Serving
from tests.contract.target.conftest import Bench
from tests.fakes.apps import OCTO_HELLO, App, hello
from tests.fakes.target import BREAKS

LABEL = HostLabel("hello--main")
OLD = CommitSha("a" * 40)
NEW = CommitSha("b" * 40)


def deployed(bench: Bench, app: App, key: str) -> TargetDeploymentId:
    made = bench.target.create(app.order(key, known=app.manifest.blobs()), app.read)
    assert isinstance(bench.settled(made.id), Built)
    return made.id


def bound(
    bench: Bench, made: TargetDeploymentId, revision: CommitSha, label: HostLabel = LABEL
) -> str:
    url = bench.target.bind(made, label, revision)
    assert url is not None
    return url


def test_a_first_deployment_sends_every_file_and_builds(bench: Bench) -> None:
    app = hello()

    made = bench.target.create(app.order(), app.read)

    assert isinstance(bench.settled(made.id), Built)
    assert (made.transfer.files_total, made.transfer.files_sent) == (7, 6 if bench.by_hash else 7)
    assert made.transfer.bytes_sent > 0
    assert sorted(app.read_blobs) == sorted(app.manifest.blobs())


def test_a_second_deployment_sends_only_what_changed(bench: Bench) -> None:
    first, second = hello(), hello(greet=b"export const greeting = 'bye';\n")
    bench.target.create(first.order("d00000000001"), first.read)

    order = second.order("d00000000002", known=first.manifest.blobs())
    made = bench.target.create(order, second.read)

    assert isinstance(bench.settled(made.id), Built)
    if bench.by_hash:
        assert made.transfer.files_sent == 1
        assert second.read_blobs == [BlobSha(blob_sha1(second.files["lib/greet.ts"]))]
    else:
        assert made.transfer.files_sent == 7


def test_a_deployment_may_build_on_an_earlier_one(bench: Bench) -> None:
    first = App(files={**hello().files, "old.txt": b"old"}, links=hello().links)
    base = Base(deployment=deployed(bench, first, "d00000000001"), manifest=first.manifest)
    second = hello(greet=b"export const greeting = 'bye';\n")

    order = second.order("d00000000002", known=first.manifest.blobs(), base=base)
    made = bench.target.create(order, second.read)

    assert isinstance(bench.settled(made.id), Built)
    assert made.transfer.files_sent == (1 if bench.by_hash else 7)


def test_a_file_that_only_begins_as_text_arrives_whole(bench: Bench) -> None:
    odd = b"text, it seems\n" * 100_000 + b"\xff"
    app = App(
        files={
            "main.ts": b"""\
const odd = await Deno.readFile(new URL("odd.bin", import.meta.url));
if (odd.length !== 1500001 || odd.at(-1) !== 255) throw new Error("this is not what was sent");
Deno.serve(() => new Response());
""",
            "odd.bin": odd,
        }
    )

    made = bench.target.create(app.order(), app.read)

    assert isinstance(bench.settled(made.id), Built)
    assert made.transfer.files_sent == 2


def test_a_base_that_the_platform_does_not_have_is_no_hindrance(bench: Bench) -> None:
    first, second = hello(), hello(greet=b"export const greeting = 'bye';\n")
    deployed(bench, first, "d00000000001")
    gone = Base(deployment=TargetDeploymentId("d0000000gone"), manifest=first.manifest)

    order = second.order("d00000000002", known=first.manifest.blobs(), base=gone)
    made = bench.target.create(order, second.read)

    assert isinstance(bench.settled(made.id), Built)


def test_a_label_that_is_taken_away_serves_nothing_and_the_others_go_on(bench: Bench) -> None:
    made = deployed(bench, hello(), "d00000000001")
    label = HostLabel("hello--pr-1")
    kept, gone = bound(bench, made, OLD), bound(bench, made, OLD, label)

    bench.target.unbind(made, label)
    bench.target.unbind(made, label)

    assert isinstance(bench.target.probe(kept, made, OLD), Serving)
    if bench.own_labels and bench.verifies:
        assert isinstance(bench.target.probe(gone, made, OLD), NotServing)


def test_a_label_that_serves_another_deployment_is_not_taken_from_it(bench: Bench) -> None:
    first = deployed(bench, hello(), "d00000000001")
    second = deployed(bench, hello(greet=b"export const greeting = 'bye';\n"), "d00000000002")
    bound(bench, first, OLD)
    url = bound(bench, second, NEW)

    bench.target.unbind(first, LABEL)

    assert isinstance(bench.target.probe(url, second, NEW), Serving)


def test_blobs_that_the_platform_lost_are_sent_again(bench: Bench) -> None:
    app = hello()
    bench.target.create(app.order("d00000000001"), app.read)
    bench.forget(AppSlug("hello"))

    order = app.order("d00000000002", known=app.manifest.blobs())
    made = bench.target.create(order, app.read)

    assert isinstance(bench.settled(made.id), Built)
    assert made.transfer.files_sent == (6 if bench.by_hash else 7)


def test_blobs_of_one_project_are_unknown_in_another(bench: Bench) -> None:
    app = hello()
    bench.target.create(app.order("d00000000001"), app.read)

    order = app.order("d00000000002", project="other", known=app.manifest.blobs())
    made = bench.target.create(order, app.read)

    assert isinstance(bench.settled(made.id), Built)
    assert made.transfer.files_sent == (6 if bench.by_hash else 7)


def test_the_same_key_gives_the_same_deployment(bench: Bench) -> None:
    app = hello()
    first = bench.target.create(app.order(), app.read)

    again = bench.target.create(app.order(known=app.manifest.blobs()), app.read)

    assert again.id == first.id


def test_another_key_gives_another_deployment(bench: Bench) -> None:
    app = hello()

    first = deployed(bench, app, "d00000000001")

    assert deployed(bench, app, "d00000000002") != first


def test_a_build_that_breaks_comes_with_its_log(bench: Bench) -> None:
    app = hello(main=BREAKS)

    made = bench.target.create(app.order(), app.read)

    seen = bench.settled(made.id)
    assert isinstance(seen, Broken)
    assert any("SyntaxError" in line.message for line in seen.log)
    assert bench.target.build_log(made.id) == seen.log


def test_a_bound_label_serves_its_revision(bench: Bench) -> None:
    made = deployed(bench, hello(), "d00000000001")

    url = bound(bench, made, OLD)
    assert bound(bench, made, OLD) == url

    assert bench.target.probe(url, made, OLD) == Serving(verified=bench.verifies, status=200)


def test_binding_takes_the_label_from_the_older_deployment(bench: Bench) -> None:
    older = deployed(bench, hello(), "d00000000001")
    newer = deployed(bench, hello(greet=b"export {};\n"), "d00000000002")
    url = bound(bench, older, OLD)

    assert bound(bench, newer, NEW) == url

    assert bench.target.probe(url, newer, NEW) == Serving(verified=bench.verifies, status=200)
    if bench.verifies:
        assert isinstance(bench.target.probe(url, older, OLD), NotServing)


def test_a_deployment_has_a_host_of_its_own_beside_the_stable_one(bench: Bench) -> None:
    made = bench.target.create(hello().order(), hello().read).id
    seen = bench.settled(made)
    assert isinstance(seen, Built)
    label = HostLabel("hello-d-d00000000001")
    own = bound(bench, made, OLD, label) if bench.own_labels else seen.urls[0]
    assert bench.target.url(label) == (own if bench.own_labels else None)

    stable = bound(bench, made, OLD)

    assert own != stable
    for url in (own, stable):
        assert isinstance(bench.target.probe(url, made, OLD), Serving)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://evil.example", "file:///etc/passwd", "http://[", ""]
)
def test_a_url_that_is_none_of_the_platforms_is_not_asked(bench: Bench, url: str) -> None:
    made = TargetDeploymentId("d00000000001")

    assert isinstance(bench.target.probe(url, made, OLD), NotServing)


def test_cancelling_is_harmless_when_repeated(bench: Bench) -> None:
    made = deployed(bench, hello(), "d00000000001")

    bench.target.cancel(made)
    bench.target.cancel(made)

    with pytest.raises(TargetRefused):
        bench.target.observe(made)


def test_what_cannot_be_read_is_not_deployed(bench: Bench) -> None:
    app = hello()
    lacking = App(files={"main.ts": app.files["main.ts"]})

    with pytest.raises(SourceUnavailable):
        bench.target.create(app.order(), lacking.read)


def test_a_removed_preview_serves_nothing(bench: Bench) -> None:
    older = deployed(bench, hello(), "d00000000001")
    newer = deployed(bench, hello(greet=b"export {};\n"), "d00000000002")
    url = bound(bench, newer, NEW)

    for _ in range(2):
        bench.target.remove(AppSlug("hello--main"), OCTO_HELLO, [older, newer])

    for made in (older, newer):
        with pytest.raises(TargetRefused):
            bench.target.observe(made)
    if bench.own_labels:
        assert not isinstance(bench.target.probe(url, newer, NEW), Serving) or not bench.verifies


def test_before_the_first_visitor_a_platform_says_nothing_or_that_nobody_came(
    bench: Bench,
) -> None:
    made = deployed(bench, hello(), "d00000000001")

    told = bench.target.visits(AppSlug("hello--main"), made)
    assert told is None or told.last_at is None
