"""The rules by which a project of v1 becomes an app of v2."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.decide.migration import (
    app_slug,
    covers,
    live_deployment,
    new_config,
    paired,
    problem_of,
)
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.manifest import Manifest
from bot.core.model.migration import OldDeployment, OldProject, OldSource, ProjectId

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
