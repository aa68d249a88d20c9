"""Frameworks as they are on npm: built by their presets, and served by what comes out."""

import json
from pathlib import Path

import pytest

from soak.registry import settings
from tests.subhosting.builds.app import deployed, said
from tests.subhosting.server import RunningSubhosting
from tests.subhosting.v2.client import new_app

ASTRO = {
    "package.json": json.dumps(
        {
            "type": "module",
            "scripts": {"build": "astro build"},
            "dependencies": {"astro": "5.13.0"},
        }
    ),
    "astro.config.mjs": "export default {};",
    "src/pages/index.astro": "---\nconst words = 'built by Astro'\n---\n<p>{words}</p>\n",
}


def svelte(adapter: str, version: str) -> dict[str, str]:
    package = {
        "type": "module",
        "scripts": {"build": "vite build"},
        "devDependencies": {
            adapter: version,
            "@sveltejs/kit": "2.36.1",
            "@sveltejs/vite-plugin-svelte": "6.1.2",
            "svelte": "5.38.2",
            "vite": "7.1.3",
        },
    }
    return {
        "package.json": json.dumps(package),
        "svelte.config.js": f'import adapter from "{adapter}";'
        "export default { kit: { adapter: adapter() } };",
        "vite.config.js": 'import { sveltekit } from "@sveltejs/kit/vite";'
        "export default { plugins: [sveltekit()] };",
        "src/app.html": "<!doctype html>%sveltekit.head%<div>%sveltekit.body%</div>",
        "src/routes/+page.svelte": "<h1>built by Svelte</h1>",
    }


PRERENDERED = {"src/routes/+layout.js": "export const prerender = true;"}


@pytest.mark.parametrize(
    ("config", "files", "words"),
    [
        # Recognised by its files.
        (None, ASTRO, "built by Astro"),
        (
            {"framework": "sveltekit"},
            {**svelte("@sveltejs/adapter-static", "3.0.9"), **PRERENDERED},
            "built by Svelte",
        ),
        (
            {"framework": "sveltekit"},
            svelte("@sveltejs/adapter-node", "5.3.1"),
            "built by Svelte",
        ),
    ],
    ids=["astro", "sveltekit-static", "sveltekit-server"],
)
def test_a_framework_is_built_and_answers(
    tmp_path: Path, config: object, files: dict[str, str], words: str
) -> None:
    given = {} if config is None else {"config": config}
    with RunningSubhosting(tmp_path / "data", **settings()) as server:
        app = new_app(server)

        live = deployed(server, app["id"], files, **given)

        assert live["status"] == "succeeded", "\n".join(said(server, live["id"]))
        assert words in server.get(f"{app['slug']}.localhost").text
