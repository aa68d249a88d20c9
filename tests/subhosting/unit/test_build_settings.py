"""What a repository and a preset say about a build."""

import pytest

from bot.subhosting.build import presets
from bot.subhosting.build.repository import build_settings

ENTRY = {"entrypoint": "main.ts"}
DYNAMIC = {"type": "dynamic", **ENTRY}
STATIC = {"type": "static", "cwd": "dist"}


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (None, None),
        ("text", None),
        # deployctl's and the command line's own keys say nothing about builds.
        ({"project": "x", "include": ["src"], "org": "o", "app": "a"}, None),
        ({"build": "x", "runtime": ENTRY}, {"build": "x", "runtime": DYNAMIC}),
        ({"runtime": STATIC}, {"runtime": STATIC}),
        ({"runtime": {**ENTRY, "memoryLimit": 700}}, {"runtime": DYNAMIC, "memory_limit": 700}),
        ({"runtime": {**ENTRY, "memory_limit": 700}}, {"runtime": DYNAMIC, "memory_limit": 700}),
        ({"framework": "astro", "runtime": {"memoryLimit": 9}},
         {"framework": "astro", "memory_limit": 9}),
        ({"build": "x", "buildTimeout": 600}, {"build": "x", "build_timeout": 600}),
        ({"build": "x", "buildTimeout": "90s"}, {"build": "x", "build_timeout": 90}),
        ({"build": "x", "buildTimeout": "10m"}, {"build": "x", "build_timeout": 600}),
        ({"build": "x", "buildTimeout": "1h"}, {"build": "x", "build_timeout": 3600}),
        # Deno ignores the whole key then.
        ({"build": "x", "buildTimeout": 0}, None),
        ({"build": "x", "buildTimeout": "10"}, None),
        ({"build": "x", "buildTimeout": "1.5m"}, None),
        ({"build": "x", "buildTimeout": True}, None),
        ({"buildTimeout": "5m"}, None),
    ],
)  # fmt: skip
def test_the_deploy_key_of_deno_json(section: object, expected: object) -> None:
    document = {} if section is None else {"deploy": section}

    assert build_settings(document) == expected


def test_a_preset_brings_commands_unless_they_are_given() -> None:
    assert presets.completed({"framework": "astro"}) == {
        "framework": "astro",
        "install": "deno install",
        "build": "deno task build",
    }
    own = {"framework": "astro", "install": None, "build": "deno task site"}
    assert presets.completed(own) == own
    assert presets.completed({"runtime": DYNAMIC}) == {"runtime": DYNAMIC}


@pytest.mark.parametrize(
    ("framework", "tree", "expected"),
    [
        ("astro", {"dist/index.html"}, {"type": "static", "cwd": "dist"}),
        (
            "astro",
            {"dist/index.html", "dist/server/entry.mjs"},
            {"type": "dynamic", "entrypoint": "dist/server/entry.mjs"},
        ),
        ("lume", {"_site/index.html"}, {"type": "static", "cwd": "_site"}),
        ("fresh", {"_fresh/server.js", "main.ts"},
         {"type": "dynamic", "entrypoint": "_fresh/server.js"}),
        ("fresh", {"main.ts"}, {"type": "dynamic", "entrypoint": "main.ts"}),
        ("sveltekit", {"build/index.html"}, {"type": "static", "cwd": "build"}),
        ("", {"dist/index.html"}, {"type": "static", "cwd": "dist"}),
        ("", {"readme.md"}, None),
        ("lume", {"dist/index.html"}, None),
    ],
)  # fmt: skip
def test_what_a_build_left_tells_how_it_is_served(
    framework: str, tree: set[str], expected: object
) -> None:
    assert presets.output_of(framework, tree.__contains__) == expected


VITE = {"package.json": {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}}
ASTRO = {"package.json": {"scripts": {"build": "astro build"}, "dependencies": {"astro": "5"}}}
COMMANDS = {"install": "deno install", "build": "deno task build"}


@pytest.mark.parametrize(
    ("files", "texts", "expected"),
    [
        ({"index.html"}, VITE, {**COMMANDS, "framework": ""}),
        ({"index.html", "vite.config.ts"}, {"deno.json": {"tasks": {"build": "vite build"}}},
         {**COMMANDS, "framework": ""}),
        # A server of its own: not a static site, though Vite builds parts of it.
        ({"main.ts"}, VITE, {}),
        (set(), ASTRO, {**COMMANDS, "framework": "astro"}),
        ({"main.ts"}, {"deno.json": {"tasks": {"dev": "x"}}}, {}),
        ({"index.html"}, {"package.json": {"scripts": "odd", "dependencies": []}}, {}),
    ],
)  # fmt: skip
def test_an_app_without_configuration_is_recognised(
    files: set[str], texts: dict[str, dict[str, object]], expected: object
) -> None:
    assert presets.detected(files.__contains__, texts) == expected
