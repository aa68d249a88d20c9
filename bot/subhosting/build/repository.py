"""The `deploy` key of an app's own deno.json, which stands in for its configuration elsewhere.

Source: https://docs.deno.com/deploy/reference/builds/, read 2026-10. The same key also names the
app for Deno's command line (`org`, `app`) and told deployctl what to upload (`project`,
`include`); those say nothing about a build.
"""

import re
from collections.abc import Mapping
from typing import Any

NAMES = ("deno.json", "deno.jsonc")

_SETS_A_BUILD = ("framework", "install", "build", "predeploy", "runtime")

_MEMORY = ("memoryLimit", "memory_limit")

_TIMEOUT = re.compile(r"([1-9][0-9]{0,6})([smh])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def build_settings(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a deno.json says about builds, as v2 spells it; None if it says nothing.

    What comes out is unchecked, but for a `buildTimeout` that Deno does not understand: it makes
    Deno ignore the whole key, and so do we.
    """
    section = document.get("deploy")
    if not isinstance(section, Mapping) or not any(name in section for name in _SETS_A_BUILD):
        return None
    found = {name: section[name] for name in _SETS_A_BUILD if name in section}
    if "buildTimeout" in section:
        seconds = _seconds(section["buildTimeout"])
        if seconds is None:
            return None
        found["build_timeout"] = seconds
    runtime = found.get("runtime")
    if isinstance(runtime, Mapping):
        _spread(found, runtime)
    return found


def _spread(found: dict[str, Any], runtime: Mapping[str, Any]) -> None:
    """Put the memory limit beside the runtime, which has no place for it in v2."""
    limit = runtime.get("memoryLimit", runtime.get("memory_limit"))  # the latter is its older name
    if limit is not None:
        found["memory_limit"] = limit
    rest = {name: each for name, each in runtime.items() if name not in _MEMORY}
    if rest or not found.get("framework"):
        found["runtime"] = {"type": "dynamic", **rest}
    else:
        del found["runtime"]


def _seconds(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = _TIMEOUT.match(value) if isinstance(value, str) else None
    return None if found is None else int(found[1]) * _SECONDS[found[2]]
