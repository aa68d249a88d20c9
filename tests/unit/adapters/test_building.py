from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.targets.building import by_recipe, refuse_commands
from bot.core.model.config import Recipe
from bot.core.model.errors import TargetRefused
from bot.ports.target import Order
from tests.fakes.apps import hello


def order(recipe: Recipe, entrypoint: str = "main.ts") -> Order:
    return replace(hello().order(entrypoint=entrypoint), recipe=recipe)


def test_a_recipe_about_files_alone_leaves_the_build_to_the_platform() -> None:
    assert by_recipe(order(Recipe(root="web", include=("a",), exclude=("b",)))) is None


@pytest.mark.parametrize(
    ("recipe", "entrypoint", "config"),
    [
        (
            Recipe(entrypoint="main.ts"),
            "main.ts",
            {
                "install": "deno install",
                "runtime": {"type": "dynamic", "entrypoint": "main.ts"},
            },
        ),
        (
            Recipe(entrypoint="dist/index.html", build="deno task build", spa=True),
            "dist/index.html",
            {
                "install": "deno install",
                "build": "deno task build",
                "runtime": {"type": "static", "cwd": "dist", "spa": True},
            },
        ),
        (
            Recipe(spa=True),
            "index.html",
            {"install": "deno install", "runtime": {"type": "static", "cwd": ".", "spa": True}},
        ),
        (
            Recipe(framework="astro", build=""),
            "main.ts",
            {"build": None, "framework": "astro"},
        ),
        (
            Recipe(build="make", install="", predeploy="migrate"),
            "index.html",
            {"install": None, "build": "make", "predeploy": "migrate"},
        ),
        (
            Recipe(install="npm ci"),
            "main.ts",
            {"install": "npm ci", "runtime": {"type": "dynamic", "entrypoint": "main.ts"}},
        ),
    ],
)
def test_a_recipe_is_a_configuration_of_its_own(
    recipe: Recipe, entrypoint: str, config: dict[str, Any]
) -> None:
    assert by_recipe(order(recipe, entrypoint)) == config


@pytest.mark.parametrize(
    "recipe", [Recipe(), Recipe(entrypoint="main.ts", install="deno install", build="")]
)
def test_a_platform_without_builds_takes_what_needs_none(recipe: Recipe) -> None:
    refuse_commands(order(recipe), "somewhere")


@pytest.mark.parametrize(
    ("recipe", "key"),
    [
        (Recipe(framework="astro"), "framework"),
        (Recipe(install="npm ci"), "install"),
        (Recipe(build="make"), "build"),
        (Recipe(predeploy="migrate"), "predeploy"),
        (Recipe(spa=True), "spa"),
    ],
)
def test_a_platform_without_builds_names_the_key_it_cannot_follow(
    recipe: Recipe, key: str
) -> None:
    with pytest.raises(TargetRefused, match=f"take `{key}` out of the configuration"):
        refuse_commands(order(recipe), "somewhere")
