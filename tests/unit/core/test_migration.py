"""The rules by which a project of v1 becomes an app of v2."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.decide.migration import (
    app_slug,
    apps_of,
    covers,
    live_deployment,
    new_config,
    paired,
    problem_of,
)
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.manifest import Manifest
from bot.core.model.migration import OldDeployment, OldDomain, OldProject, OldSource, ProjectId

# As published for v2.
SLUG = re.compile(r"(?!..--)[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")


def project(name: str) -> OldProject:
    return OldProject(id=ProjectId("5e1f"), name=name)


def deployment(name: str, day: int, *domains: str) -> OldDeployment:
    made = datetime(2026, 1, day, tzinfo=UTC)
    return OldDeployment(id=TargetDeploymentId(name), domains=domains, created_at=made)


def source(entrypoint: str, config: dict[str, str] | None = None) -> OldSource:
    nothing = Manifest(assets={})
    return OldSource(entrypoint=entrypoint, manifest=nothing, env={}, config=config, not_in_v2=())


def test_a_name_that_v2_allows_stays() -> None:
    assert app_slug(project("my-shop")) == "my-shop"


@given(st.text(max_size=60))
def test_any_name_becomes_a_slug(name: str) -> None:
    assert SLUG.fullmatch(app_slug(project(name)))


def test_the_project_s_own_host_tells_what_is_live() -> None:
    own = deployment("own", 1, "shop.example.dev")
    newer = deployment("newer", 2, "shop-abc.example.dev")
    bare = deployment("bare", 3)

    assert live_deployment(project("shop"), (own, newer, bare)) == own
    assert live_deployment(project("shop"), (newer, bare)) == newer
    assert live_deployment(project("shop"), (bare,)) == bare
    assert live_deployment(project("shop"), ()) is None


def domains(*hosts: str) -> tuple[OldDomain, ...]:
    return tuple(OldDomain(host=host, deployment=None) for host in hosts)


def test_each_deployment_with_a_domain_of_its_own_is_an_app() -> None:
    live = deployment("live", 1, "shop.old.dev", "shop.example")
    auth = deployment("auth", 2, "shop-auth.old.dev", "auth.shop.example")
    deep = deployment("deep", 3, "a.b.example", "shop-deep.old.dev", "z.b.example")
    idle = deployment("idle", 4, "shop-idle.old.dev")
    found = domains("shop.example", "auth.shop.example", "*.b.example")

    first, *others = apps_of(project("shop"), (live, auth, deep, idle), found, {"shop"})

    assert (first.deployment, first.slug, first.name) == (live, "shop", "shop")
    assert [(each.deployment, each.slug, each.hosts) for each in others] == [
        (deep, "shop-a", ("a.b.example", "z.b.example")),
        (auth, "shop-auth", ("auth.shop.example",)),
    ]
    assert others[1].name == "shop at auth.shop.example"
    assert first.notes == ()


def test_a_custom_domain_that_begins_with_the_project_s_name_makes_nothing_live() -> None:
    live = deployment("live", 1, "shop.old.dev")
    other = deployment("other", 2, "shop.example")

    first, second = apps_of(project("shop"), (live, other), domains("shop.example"), {"shop"})

    assert (first.deployment, second.deployment) == (live, other)


def test_a_slug_that_another_app_needs_gets_a_part_of_a_hash() -> None:
    live = deployment("live", 1, "shop.old.dev")
    twins = deployment("one", 2, "auth.a.example"), deployment("two", 3, "auth.b.example")
    found = domains("auth.a.example", "auth.b.example")

    _, *free = apps_of(project("shop"), (live, *twins), found, {"shop"})
    _, *taken = apps_of(project("shop"), (live, *twins), found, {"shop", "shop-auth"})

    assert [each.slug == "shop-auth" for each in free] == [True, False]
    assert all(re.fullmatch(r"shop-auth-[0-9a-f]{8}", each.slug) for each in (free[1], *taken))
    assert len({each.slug for each in taken}) == 2


def test_a_host_that_several_deployments_name_is_the_live_one_s_or_the_newest_s() -> None:
    live = deployment("live", 1, "shop.old.dev", "both.example")
    older = deployment("older", 2, "both.example", "also.example")
    newer = deployment("newer", 3, "also.example")
    found = domains("both.example", "also.example")

    _, *others = apps_of(project("shop"), (live, older, newer), found, {"shop"})

    assert [(each.deployment, each.hosts) for each in others] == [(newer, ("also.example",))]


def test_a_name_of_the_old_server_that_leads_elsewhere_is_told() -> None:
    live = deployment("live", 1, "shop.old.dev")
    other = deployment("other", 2, "beta.old.dev")

    (only,) = apps_of(project("shop"), (live, other), (), {"shop"})

    (note,) = only.notes
    assert note.startswith("beta.old.dev led to deployment other and not here")


def test_a_project_without_a_deployment_that_worked_is_no_app() -> None:
    assert apps_of(project("shop"), (), (), {"shop"}) == ()


@pytest.mark.parametrize(
    ("entrypoint", "runtime"),
    [
        ("src/main.ts", {"type": "dynamic", "entrypoint": "src/main.ts"}),
        ("index.html", {"type": "static", "cwd": "."}),
        ("dist/index.html", {"type": "static", "cwd": "dist"}),
    ],
)
def test_v1_s_way_of_building_is_an_install(entrypoint: str, runtime: dict[str, str]) -> None:
    assert new_config(source(entrypoint)) == {"install": "deno install", "runtime": runtime}


def test_how_it_was_built_stays_where_the_server_knew() -> None:
    config = {"framework": "astro"}

    assert new_config(source("main.ts", config=config)) == config


def test_an_entry_point_somewhere_else_cannot_be_moved() -> None:
    assert problem_of(source("main.ts")) is None
    assert "https://x.example/a.ts" in (problem_of(source("https://x.example/a.ts")) or "")


def test_a_wildcard_covers_one_label_below_it() -> None:
    assert covers("*.a.example", "www.a.example")
    assert not covers("*.a.example", "a.example")
    assert not covers("*.a.example", "x.www.a.example")
    assert covers("a.example", "a.example")
    assert (paired("a.example"), paired("*.a.example")) == ("*.a.example", "a.example")
