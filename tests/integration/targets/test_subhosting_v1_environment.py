"""What a v1 deployment runs with, how it is run anew, and what the platform tells of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model.config import Recipe
from bot.core.model.environment import Context, Environment, Trust, Variable
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import AppSlug
from bot.ports.target import Built, Earlier, Order, Usage
from tests.fakes.apps import OCTO_HELLO, App, hello
from tests.integration.targets.conftest import Bench

KEY, LATER = "d00000000001", "d00000000002"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HELLO = AppSlug("hello")


def with_variables(app: App, key: str, **values: str) -> Order:
    variables = tuple(
        Variable(key=name, value=value, context=Context.BRANCH) for name, value in values.items()
    )
    environment = Environment(variables=variables)
    return replace(app.order(key, known=app.manifest.blobs()), environment=environment)


def test_a_stranger_asks_for_isolation(embedded: Bench) -> None:
    order = replace(hello().order(), environment=Environment(trust=Trust.STRANGER))

    embedded.target.create(order, hello().read)

    (request,) = embedded.creates()
    assert request.json()["isolation"] == {"minimum": "L2"}
    assert request.json()["envVars"] == {}


def test_others_leave_isolation_to_the_server(embedded: Bench) -> None:
    embedded.target.create(hello().order(), hello().read)

    (request,) = embedded.creates()
    assert "isolation" not in request.json()


def test_a_recipe_travels_to_our_server_alone(embedded: Bench, plain: Bench) -> None:
    order = replace(hello().order(), recipe=Recipe(framework="astro", install="npm ci"))

    embedded.target.create(order, hello().read)
    with pytest.raises(TargetRefused, match="take `framework` out of the configuration"):
        plain.target.create(order, hello().read)

    (ours,) = embedded.creates()
    assert ours.json()["config"] == {"framework": "astro", "install": "npm ci"}
    assert plain.creates() == []


def test_a_database_is_made_once_and_found_again(plain: Bench) -> None:
    app = hello()
    for key, name in ((KEY, "hello--main"), (LATER, "hello--main"), ("d3", "hello--other")):
        order = replace(app.order(key), environment=Environment(database=name))
        plain.target.create(order, app.read)
        plain.server.platform.settle()

    databases = plain.server.platform.databases
    assert [each["description"] for each in databases.values()] == [
        "previewbot: hello--main",
        "previewbot: hello--other",
    ]
    used = [each.databases for each in plain.server.platform.deployments.values()]
    first, second = databases
    assert used == [{"default": first}, {"default": first}, {"default": second}]


def test_of_two_databases_of_one_name_everybody_takes_the_older(embedded: Bench) -> None:
    for _ in range(2):
        embedded.server.platform.make_database({"description": "previewbot: hello--main"})
    order = replace(hello().order(), environment=Environment(database="hello--main"))

    made = embedded.target.create(order, hello().read).id

    first, _second = embedded.server.platform.databases
    assert embedded.server.platform.deployments[made].databases == {"default": first}


def test_our_server_redeploys_by_a_request_of_the_changes_size(embedded: Bench) -> None:
    app = App(files={**hello().files, "large.txt": b"x" * 100_000})
    made = embedded.target.create(app.order(KEY), app.read).id

    again = embedded.target.redeploy(
        with_variables(app, LATER, A="1"), Earlier(deployment=made), app.read
    )

    assert again.transfer.files_sent == 0
    assert again.transfer.bytes_sent < 1_000
    deployments = embedded.server.platform.deployments
    assert deployments[again.id].files == deployments[made].files


def test_a_strangers_redeploy_names_what_is_to_go(plain: Bench) -> None:
    app = hello()
    made = plain.target.create(with_variables(app, KEY, A="1", B="1"), app.read).id
    plain.server.platform.settle()
    plain.server.requests.clear()

    plain.target.redeploy(
        with_variables(app, LATER, A="2"),
        Earlier(deployment=made, variables=frozenset({"A", "B"})),
        app.read,
    )

    assert plain.server.asked()[-1] == f"POST /v1/deployments/{made}/redeploy"
    assert plain.server.requests[-1].json() == {
        "envVars": {"A": "2", "B": None},
        "databases": {"default": None},
        "description": f"previewbot deployment {LATER}",
    }


def test_a_stranger_whose_old_variables_are_forgotten_gets_a_create(plain: Bench) -> None:
    app = hello()
    made = plain.target.create(with_variables(app, KEY, A="1"), app.read).id
    plain.server.platform.settle()

    again = plain.target.redeploy(
        with_variables(app, LATER, B="2"), Earlier(deployment=made), app.read
    )

    assert plain.server.platform.deployments[again.id].env_vars == {"B": "2"}
    assert again.transfer.files_sent == 0  # by their hashes


def test_a_lost_answer_to_a_redeploy_is_found_by_its_description(plain: Bench) -> None:
    app = hello()
    made = plain.target.create(app.order(KEY), app.read).id
    plain.server.platform.settle()
    earlier = Earlier(deployment=made, variables=frozenset())
    plain.server.faults = [lambda _: None, lambda _: lose(plain)]
    with pytest.raises(TargetUnavailable):
        plain.target.redeploy(app.order(LATER), earlier, app.read)
    plain.clock.on_sleep = plain.server.platform.settle

    again = plain.target.redeploy(app.order(LATER), earlier, app.read)

    assert list(plain.server.platform.deployments) == [made, again.id]


def lose(bench: Bench) -> None:
    bench.server.lost_answers = 1


def test_a_removed_project_is_made_anew_when_it_is_needed(embedded: Bench) -> None:
    app = hello()
    embedded.target.create(app.order(KEY), app.read)
    embedded.target.remove_project(HELLO, OCTO_HELLO)

    made = embedded.target.create(app.order(LATER, known=app.manifest.blobs()), app.read)

    assert list(embedded.server.platform.deployments) == [made.id]
    assert len(embedded.server.platform.projects) == 1


def test_usage_is_read_by_the_names_of_its_columns(embedded: Bench) -> None:
    embedded.target.create(hello().order(), hello().read)
    embedded.server.platform.analytics = [
        ["2026-03-01T11:45:00Z", 3, 0.5, 10, 20],
        ["2026-03-01T12:00:00Z", 1, None, None, 7],
    ]

    used = embedded.target.usage(HELLO, HELLO, since=datetime(2000, 1, 1, tzinfo=UTC))

    assert used == (
        Usage(
            start=NOON - timedelta(minutes=15),
            requests=3,
            cpu_s=0.5,
            received_bytes=10,
            sent_bytes=20,
        ),
        Usage(start=NOON, requests=1, cpu_s=None, received_bytes=0, sent_bytes=7),
    )


@pytest.mark.parametrize("row", [["yesterday", 1, 1, 1, 1], [None] * 5, ["2026-03-01T12:00:00Z"]])
def test_usage_that_makes_no_sense_is_refused(embedded: Bench, row: list[object]) -> None:
    embedded.target.create(hello().order(), hello().read)
    embedded.server.platform.analytics = [row]

    with pytest.raises(TargetRefused, match="analytics"):
        embedded.target.usage(HELLO, HELLO, since=NOON)


def test_following_looks_ever_more_rarely_at_a_build(embedded: Bench) -> None:
    embedded.server.platform.looks_to_build = 50
    made = embedded.target.create(hello().order(), hello().read).id

    *_, last = embedded.target.follow(made)

    assert isinstance(last, Built)
    assert embedded.clock.slept[0] < timedelta(milliseconds=10)
    assert max(embedded.clock.slept) == timedelta(seconds=1)
