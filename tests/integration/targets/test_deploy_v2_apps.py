"""Apps, layers and variables of v2: whose they are, and what they hold."""

from dataclasses import replace

import pytest

from bot.core.model.environment import Context, Environment, Trust, Variable
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import AppSlug, PullNumber, RepoName, RepositoryId
from bot.ports.target import Order
from bot.wire.deploy_v2 import EnvVarInput
from tests.fakes.apps import OCTO_HELLO, hello
from tests.fakes.deno.records import App, Layer, Variables
from tests.integration.targets.deno_bench import DenoBench

SHARED = Variable(key="SHARED", value="s3cr3t-shared", context=Context.PREVIEW)
PLAIN = Variable(key="PLAIN", value="open", context=Context.BRANCH, secret=False)
SECRET = Variable(key="SECRET", value="s3cr3t-own", context=Context.BRANCH)
STRANGER = Environment(trust=Trust.STRANGER)

APP = hello()


def order(key: str = "d00000000001", *variables: Variable, **changes: object) -> Order:
    plain = APP.order(key)
    return replace(plain, environment=Environment(variables=variables), **changes)  # type: ignore[arg-type]


def test_shared_variables_stand_in_one_layer_and_own_ones_in_another(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001", SHARED, PLAIN, SECRET), APP.read)
    feature = order("d00000000002", SHARED, branch_app=AppSlug("hello--feature"))
    bench.target.create(feature, APP.read)

    layers = {layer.slug: layer.variables.all for layer in bench.deno.layers.values()}
    assert {slug: [each.key for each in held] for slug, held in layers.items()} == {
        "hello-previews": ["SHARED"],
        "hello--main-own": ["SECRET"],
    }
    assert all(each.secret for held in layers.values() for each in held)
    assert [[layer.slug for layer in app.layers] for app in bench.deno.apps.values()] == [
        ["hello-previews", "hello--main-own"],
        ["hello-previews"],
    ]


def test_a_plain_variable_stays_with_its_revision(bench: DenoBench) -> None:
    made = bench.target.create(order("d00000000001", PLAIN), APP.read).id

    later = replace(PLAIN, value="later")
    bench.target.create(order("d00000000002", later), APP.read)

    assert bench.deno.revisions[made].environment() == {"PLAIN": "open"}


def test_unchanged_variables_restart_nothing(bench: DenoBench) -> None:
    variables = (SHARED, SECRET)
    bench.target.create(order("d00000000001", *variables), APP.read)
    restarted = bench.restarted()

    bench.target.create(order("d00000000002", *variables), APP.read)
    restarted.create(order("d00000000003", *variables), APP.read)

    restarted.close()
    assert [layer.variables.restarts for layer in bench.deno.layers.values()] == [0, 0]
    assert not any(each.startswith("PATCH") for each in bench.asked())


def test_a_later_deploy_asks_nothing_about_its_app(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001", SHARED, SECRET), APP.read)
    bench.deno.requests.clear()

    bench.target.create(order("d00000000002", SHARED, SECRET), APP.read)

    assert bench.asked() == [
        "GET /v2/apps/hello--main/revisions",
        "POST /v2/apps/hello--main/deploy",
    ]


def test_a_changed_value_reaches_the_layer_and_one_that_is_gone_leaves_it(
    bench: DenoBench,
) -> None:
    bench.target.create(order("d00000000001", SHARED, SECRET), APP.read)

    changed = replace(SHARED, value="other")
    bench.target.create(order("d00000000002", changed), APP.read)

    (app,) = bench.deno.apps.values()
    assert [layer.slug for layer in app.layers] == ["hello-previews"]
    assert app.layers[0].variables.values() == {"SHARED": "other"}


def test_no_secret_stands_in_a_description_or_label(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001", SHARED, SECRET), APP.read)

    shown = [layer.description for layer in bench.deno.layers.values()]
    shown += [str(app.labels) for app in bench.deno.apps.values()]
    assert not any("s3cr3t" in str(text) for text in shown)
    assert "s3cr3t" not in repr(order("d00000000001", SHARED, SECRET))


def test_a_strangers_app_loses_whatever_layer_and_variable_it_has(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001", SHARED, SECRET), APP.read)
    (app,) = bench.deno.apps.values()
    app.variables = Variables("app-1", [EnvVarInput(key="BY_HAND", value="x")])

    made = bench.target.create(replace(order("d00000000002"), environment=STRANGER), APP.read).id

    assert (app.layers, app.variables.all) == ([], [])
    assert bench.deno.revisions[made].init.layers == []
    assert bench.deno.revisions[made].environment() == {}


def test_a_strangers_app_is_looked_at_before_every_deploy(bench: DenoBench) -> None:
    stranger = replace(order("d00000000001"), environment=STRANGER)
    bench.target.create(stranger, APP.read)
    (app,) = bench.deno.apps.values()
    app.layers = [Layer(id="lyr_9", slug="theirs", variables=Variables("lyr_9", ()))]

    bench.target.create(replace(stranger, key="d00000000002"), APP.read)  # type: ignore[arg-type]

    assert app.layers == []


def test_what_people_attached_to_an_own_app_stays_and_wins(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001", SHARED), APP.read)
    (app,) = bench.deno.apps.values()
    by_hand = Layer(id="lyr_9", slug="by-hand", variables=Variables("lyr_9", ()))
    bench.deno.layers["lyr_9"] = by_hand
    app.layers = [by_hand]
    app.variables = Variables("app-1", [EnvVarInput(key="BY_HAND", value="x")])

    restarted = bench.restarted()
    restarted.create(order("d00000000002", SHARED), APP.read)
    restarted.close()

    assert [layer.slug for layer in app.layers] == ["hello-previews", "by-hand"]
    assert app.variables.values() == {"BY_HAND": "x"}


def test_a_layer_of_somebody_elses_is_not_touched(bench: DenoBench) -> None:
    theirs = Layer(id="lyr_9", slug="hello-previews", variables=Variables("lyr_9", ()))
    bench.deno.layers["lyr_9"] = theirs

    with pytest.raises(TargetRefused, match="hello-previews was not made by previewbot"):
        bench.target.create(order("d00000000001", SHARED), APP.read)

    assert theirs.variables.all == []
    assert bench.deno.apps == {}


def test_a_renamed_repository_keeps_its_apps(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001"), APP.read)
    renamed = replace(OCTO_HELLO, name=RepoName("octo/renamed"))

    bench.target.create(order("d00000000002", repository=renamed), APP.read)

    (app,) = bench.deno.apps.values()
    assert app.labels["custom.repo"] == "octo/renamed"


def test_labels_that_people_added_stay(bench: DenoBench) -> None:
    nameless = replace(OCTO_HELLO, id=RepositoryId(0))
    bench.target.create(order("d00000000001", repository=nameless), APP.read)
    (app,) = bench.deno.apps.values()
    app.labels["team"] = "web"
    del app.labels["custom.app"]
    restarted = bench.restarted()

    restarted.create(order("d00000000002", repository=nameless), APP.read)

    restarted.close()
    assert app.labels["team"] == "web"
    assert app.labels["custom.app"] == "hello"


def test_ours_go_before_theirs_where_there_is_no_room_for_both(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001"), APP.read)
    (app,) = bench.deno.apps.values()
    ours = dict(app.labels)
    del app.labels["custom.branch"]
    app.labels["team"] = "web"
    restarted = bench.restarted()

    restarted.create(order("d00000000002"), APP.read)

    restarted.close()
    assert app.labels == ours


def test_another_repository_of_the_same_name_gets_no_app(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001"), APP.read)
    other = replace(OCTO_HELLO, id=RepositoryId(8))

    with pytest.raises(TargetRefused, match="rename the branch or the app"):
        bench.target.create(order("d00000000002", repository=other), APP.read)


def test_a_directory_that_no_forge_knows_has_its_apps_by_name(bench: DenoBench) -> None:
    nameless = replace(OCTO_HELLO, id=RepositoryId(0))
    bench.target.create(order("d00000000001", repository=nameless), APP.read)
    restarted = bench.restarted()

    restarted.create(order("d00000000002", repository=nameless), APP.read)

    restarted.close()
    (app,) = bench.deno.apps.values()
    assert "custom.repo-id" not in app.labels


def test_a_pull_requests_app_says_so(bench: DenoBench) -> None:
    wanted = replace(order(), environment=STRANGER, pull=PullNumber(7))

    bench.target.create(wanted, APP.read)

    (app,) = bench.deno.apps.values()
    assert app.labels["custom.pr"] == "7"
    assert "custom.branch" not in app.labels
    assert len(app.labels) == 5  # the platform's limit


def test_production_has_no_part_in_what_previews_share(bench: DenoBench) -> None:
    production = Variable(key="KEY", value="live", context=Context.PRODUCTION)
    bench.target.create(order("d00000000001", SHARED), APP.read)
    made = bench.target.create(
        order("d00000000002", production, branch_app=AppSlug("hello")), APP.read
    ).id

    assert bench.deno.revisions[made].environment() == {"KEY": "live"}


def test_a_removed_project_takes_its_apps_and_layers_along(bench: DenoBench) -> None:
    for number in range(3):
        app = AppSlug(f"hello--b{number}")
        bench.target.create(order(f"d{number}", SHARED, SECRET, branch_app=app), APP.read)
    others = {
        "other": {"custom.managed-by": "previewbot", "custom.repo-id": "7", "custom.app": "other"},
        "theirs": {"custom.managed-by": "previewbot", "custom.repo-id": "8"},
        "by-hand": {},
    }
    for slug, labels in others.items():
        bench.deno.apps[slug] = App(id=slug, slug=slug, labels={"custom.app": "hello", **labels})

    bench.target.remove_project(AppSlug("hello"), OCTO_HELLO)

    assert list(bench.deno.apps) == list(others)
    assert bench.deno.layers == {}


def test_every_page_of_apps_is_removed(bench: DenoBench) -> None:
    labels = {"custom.managed-by": "previewbot", "custom.repo-id": "7", "custom.app": "hello"}
    for number in range(250):
        app = App(id=f"app-{number}", slug=f"hello--{number}", labels=dict(labels))
        bench.deno.apps[app.id] = app

    bench.target.remove_project(AppSlug("hello"), OCTO_HELLO)

    assert bench.deno.apps == {}


def test_a_removed_branch_takes_its_own_layer_along(bench: DenoBench) -> None:
    bench.target.create(order("d00000000001", SHARED, SECRET), APP.read)

    bench.target.remove(AppSlug("hello--main"), OCTO_HELLO, [])

    assert [layer.slug for layer in bench.deno.layers.values()] == ["hello-previews"]


def test_a_database_is_bound_to_both_of_an_apps_hosts(bench: DenoBench) -> None:
    bench.deno.instances.add("previewbot")  # made by an earlier process

    made = bench.target.create(
        replace(order(), environment=Environment(database="hello--main")), APP.read
    ).id

    init = bench.deno.revisions[made].init
    for each in (init.production, init.preview):
        assert not isinstance(each, bool)
        assert [(ref.instance, ref.name) for ref in each.databases or ()] == [
            ("previewbot", "hello--main")
        ]
