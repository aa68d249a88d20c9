"""What every target promises about what its deployments run with, and about running them anew."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.model.environment import Context, Environment, Trust, Variable
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import AppSlug, CommitSha, HostLabel, TargetDeploymentId
from bot.ports.target import Broken, Building, Built, Earlier, NotServing, Order, Serving
from tests.contract.target.conftest import Bench
from tests.fakes.apps import OCTO_HELLO, SAYS_ENV, hello
from tests.fakes.target import BREAKS
from tests.subhosting.server import wait_until

APP = hello(main=SAYS_ENV)
BRANCH, PRODUCTION = HostLabel("hello--main"), HostLabel("hello")
OLD, NEW = CommitSha("a" * 40), CommitSha("b" * 40)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def variable(key: str, value: str, context: Context, *, secret: bool = True) -> Variable:
    return Variable(key=key, value=value, context=context, secret=secret)


def order(key: str, *variables: Variable, **changes: object) -> Order:
    plain = APP.order(key, known=APP.manifest.blobs())
    return replace(plain, environment=Environment(variables=variables), **changes)  # type: ignore[arg-type]


def built(bench: Bench, wanted: Order) -> TargetDeploymentId:
    made = bench.target.create(wanted, APP.read).id
    assert isinstance(bench.settled(made), Built)
    return made


def seen(bench: Bench, made: TargetDeploymentId, label: HostLabel = BRANCH) -> dict[str, str]:
    """Return what the app sees of the variables of these tests, on its stable host."""
    url = bench.target.bind(made, label, OLD)
    assert url is not None
    found = bench.visit(made, url)
    return {key: value for key, value in found.items() if key.startswith("TEST_")}


@pytest.mark.parametrize("secret", [True, False])
def test_variables_of_every_context_reach_the_app(bench: Bench, secret: bool) -> None:  # noqa: FBT001
    made = built(
        bench,
        order(
            "d00000000001",
            variable("TEST_A", "all previews", Context.PREVIEW, secret=secret),
            variable("TEST_B", "all previews", Context.PREVIEW, secret=secret),
            variable("TEST_B", "this branch", Context.BRANCH, secret=secret),
        ),
    )

    assert seen(bench, made) == {"TEST_A": "all previews", "TEST_B": "this branch"}


def test_a_variable_that_is_gone_does_not_reach_the_next_deployment(bench: Bench) -> None:
    built(
        bench,
        order(
            "d00000000001",
            variable("TEST_A", "1", Context.PREVIEW),
            variable("TEST_B", "1", Context.BRANCH),
        ),
    )

    newer = built(bench, order("d00000000002", variable("TEST_C", "2", Context.BRANCH)))

    assert seen(bench, newer) == {"TEST_C": "2"}


def test_a_stranger_sees_none_of_what_others_share(bench: Bench) -> None:
    shared = variable("TEST_A", "secret", Context.PREVIEW)
    built(bench, order("d00000000001", shared, variable("TEST_B", "secret", Context.BRANCH)))

    stranger = built(
        bench,
        replace(order("d00000000002"), environment=Environment(trust=Trust.STRANGER)),
    )

    assert seen(bench, stranger) == {}


def test_shared_variables_reach_running_previews_where_the_platform_says_so(bench: Bench) -> None:
    first = variable("TEST_A", "1", Context.PREVIEW)
    made = built(bench, order("d00000000001", first))
    before = seen(bench, made)

    second = variable("TEST_A", "2", Context.PREVIEW)
    ignored = variable("TEST_B", "2", Context.PRODUCTION)
    passed_on = bench.target.share(AppSlug("hello"), [second, ignored])

    assert before == {"TEST_A": "1"}
    expected = {"TEST_A": "2"} if passed_on else before
    wait_until(lambda: seen(bench, made) == expected, f"the app to see {expected}")


def test_a_redeploy_has_its_own_environment_only(bench: Bench) -> None:
    given = (variable("TEST_A", "1", Context.BRANCH), variable("TEST_B", "1", Context.BRANCH))
    made = built(bench, order("d00000000001", *given))
    earlier = Earlier(deployment=made, variables=frozenset(each.key for each in given))

    wanted = order("d00000000002", variable("TEST_A", "2", Context.BRANCH))
    again = bench.target.redeploy(wanted, earlier, APP.read)

    assert again.id != made
    assert isinstance(bench.settled(again.id), Built)
    assert seen(bench, again.id) == {"TEST_A": "2"}
    assert again.transfer.files_sent == (0 if bench.by_hash else 7)


def test_a_redeploy_happens_once_by_its_key(bench: Bench) -> None:
    earlier = Earlier(deployment=built(bench, order("d00000000001")), variables=frozenset())
    first = bench.target.redeploy(order("d00000000002"), earlier, APP.read)

    again = bench.target.redeploy(order("d00000000002"), earlier, APP.read)

    assert again.id == first.id


@pytest.mark.parametrize("names", [frozenset({"TEST_A"}), None])
def test_what_is_gone_can_be_redeployed_nevertheless(
    bench: Bench, names: frozenset[str] | None
) -> None:
    made = built(bench, order("d00000000001", variable("TEST_A", "1", Context.BRANCH)))
    bench.target.cancel(made)

    wanted = order("d00000000002", variable("TEST_B", "2", Context.BRANCH))
    again = bench.target.redeploy(wanted, Earlier(deployment=made, variables=names), APP.read)

    assert isinstance(bench.settled(again.id), Built)
    assert seen(bench, again.id) == {"TEST_B": "2"}


def test_a_promoted_preview_shows_productions_values_only(bench: Bench) -> None:
    given = (
        variable("TEST_A", "preview", Context.PREVIEW),
        variable("TEST_B", "branch", Context.BRANCH),
    )
    preview = built(bench, order("d00000000001", *given))
    before = seen(bench, preview)
    earlier = Earlier(deployment=preview, variables=frozenset({"TEST_A", "TEST_B"}))

    wanted = order(
        "d00000000002",
        variable("TEST_A", "production", Context.PRODUCTION),
        branch_app=AppSlug("hello"),
    )
    production = bench.target.redeploy(wanted, earlier, APP.read).id

    assert isinstance(bench.settled(production), Built)
    assert seen(bench, production, PRODUCTION) == {"TEST_A": "production"}
    assert seen(bench, preview) == before == {"TEST_A": "preview", "TEST_B": "branch"}


def test_a_rollback_is_a_binding_of_an_earlier_deployment(bench: Bench) -> None:
    older, newer = built(bench, order("d00000000001")), built(bench, order("d00000000002"))
    bench.target.bind(older, BRANCH, OLD)
    bench.target.bind(newer, BRANCH, NEW)

    url = bench.target.bind(older, BRANCH, OLD)

    assert url is not None
    assert isinstance(bench.target.probe(url, older, OLD), Serving)
    if bench.verifies:
        assert isinstance(bench.target.probe(url, newer, NEW), NotServing)


def test_a_deployment_that_is_gone_cannot_be_rolled_back_to(bench: Bench) -> None:
    made = built(bench, order("d00000000001"))
    bench.target.cancel(made)

    with pytest.raises(TargetRefused):
        bench.target.bind(made, BRANCH, OLD)


@pytest.mark.parametrize(("source", "end"), [(SAYS_ENV, Built), (BREAKS, Broken)])
def test_whoever_follows_a_build_sees_its_end(
    bench: Bench, source: bytes, end: type[Built | Broken]
) -> None:
    app = hello(main=source)
    made = bench.target.create(app.order(), app.read).id

    *before, last = following(bench, made)

    assert isinstance(last, end)
    assert all(isinstance(each, Building) for each in before)
    assert bench.target.observe(made) == last


def following(bench: Bench, made: TargetDeploymentId) -> Iterator[object]:
    for number, each in enumerate(bench.target.follow(made)):
        assert number < 10_000, "it never ends"
        yield each


def test_following_what_is_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(TargetRefused):
        next(bench.target.follow(TargetDeploymentId("d0000000gone")))


def test_a_removed_project_is_gone_and_others_stay(bench: Bench) -> None:
    main = built(bench, order("d00000000001", variable("TEST_A", "1", Context.PREVIEW)))
    feature = built(bench, order("d00000000002", branch_app=AppSlug("hello--feature")))
    other = built(
        bench,
        order("d00000000003", project=AppSlug("other"), branch_app=AppSlug("other--main")),
    )

    for _ in range(2):
        bench.target.remove_project(AppSlug("hello"), OCTO_HELLO)

    for gone in (main, feature):
        with pytest.raises(TargetRefused):
            bench.target.observe(gone)
    assert isinstance(bench.settled(other), Built)


def test_what_an_app_writes_can_be_read(bench: Bench) -> None:
    made = built(bench, order("d00000000001"))
    seen(bench, made)
    app = AppSlug("hello--main")

    def said() -> list[str]:
        lines = bench.target.app_log(app, made, since=LONG_AGO, limit=10)
        return [line.message for line in lines if "visited" in line.message]

    wait_until(said, "the app's line")
    seen(bench, made)
    wait_until(lambda: len(said()) == 2, "two lines")
    assert len(bench.target.app_log(app, made, since=LONG_AGO, limit=1)) == 1


def test_a_project_that_is_not_there_has_used_nothing(bench: Bench) -> None:
    gone = AppSlug("never-there")

    assert bench.target.usage(gone, gone, since=LONG_AGO) == ()


def test_usage_can_be_asked_for(bench: Bench) -> None:
    built(bench, order("d00000000001"))

    used = bench.target.usage(AppSlug("hello"), AppSlug("hello--main"), since=LONG_AGO)

    assert all(each.requests >= 0 for each in used)
