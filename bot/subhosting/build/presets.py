"""Frameworks that we know how to build, and how their output tells what serves it.

Source of the names: v2's published document. What a framework leaves behind is its own
documentation's; a preset we could not serve is refused by name rather than half served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.subhosting.build.plan import INSTALL
from bot.subhosting.store.records import Document

BUILD = "deno task build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Where a framework puts its server, and where its static files if there is no server."""

    servers: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


# Without a name: what Vite, its plugins and most generators of static sites do.
PLAIN = Preset(folders=("dist", "build", "out", "_site", "public"))

PRESETS: Mapping[str, Preset] = {
    # @deno/astro-adapter writes `dist/server/entry.mjs`; without an adapter Astro is static.
    "astro": Preset(servers=("dist/server/entry.mjs",), folders=("dist",)),
    "lume": Preset(folders=("_site",)),
    # adapter-node and svelte-adapter-deno write `build/index.js`, adapter-static a folder.
    "sveltekit": Preset(servers=("build/index.js",), folders=("build",)),
    # Fresh 2 builds a server of its own; Fresh 1 starts from main.ts.
    "fresh": Preset(servers=("_fresh/server.js", "main.ts")),
}

# Frameworks whose server comes from a bundler of their own, which wants to be set up for Deno.
NOT_SERVED = ("nextjs", "nuxt", "remix", "solidstart", "tanstackstart")


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with a preset's commands where it names none itself.

    A command that is null stays away: it was turned off.
    """
    if not config.get("framework"):
        return dict(config)
    return {"install": INSTALL, "build": BUILD, **config}


def output_of(framework: str, exists: Callable[[str], bool]) -> Document | None:
    """Return the runtime that fits what a build left behind, None if nothing is known to.

    `exists` tells whether the tree has a file with this path.
    """
    preset = PRESETS.get(framework, PLAIN)
    for path in preset.servers:
        if exists(path):
            return {"type": "dynamic", "entrypoint": path}
    for folder in preset.folders:
        if exists(f"{folder}/index.html"):
            return {"type": "static", "cwd": folder}
    return None


def detected(manifest: Callable[[str], bool], texts: Mapping[str, Document]) -> Document:
    """Return the configuration of an app that has none: Vite's and Astro's, or an empty one.

    `manifest` tells whether the app has a file, `texts` holds its deno.json and package.json.
    """
    if not _has_build_task(texts):
        return {}
    needed = _dependencies(texts.get("package.json", {}))
    if "astro" in needed or _has_any(manifest, "astro.config"):
        return completed({"framework": "astro"})
    vite = "vite" in needed or _has_any(manifest, "vite.config")
    if vite and manifest("index.html"):
        return {"install": INSTALL, "build": BUILD, "framework": ""}
    return {}


def _has_any(manifest: Callable[[str], bool], stem: str) -> bool:
    return any(manifest(f"{stem}.{suffix}") for suffix in ("js", "mjs", "ts", "mts"))


def _has_build_task(texts: Mapping[str, Document]) -> bool:
    scripts = texts.get("package.json", {}).get("scripts")
    tasks = [texts.get(name, {}).get("tasks") for name in ("deno.json", "deno.jsonc")]
    return any(isinstance(each, Mapping) and "build" in each for each in (scripts, *tasks))


def _dependencies(package: Document) -> set[str]:
    found: set[str] = set()
    for table in ("dependencies", "devDependencies"):
        named = package.get(table)
        if isinstance(named, Mapping):
            found |= set(named)
    return found
