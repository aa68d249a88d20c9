"""GitHub's webhook payloads as JSON Schema, asked about those that tests make.

The community's description (see tests/data/github/README.md). It forbids keys that it does not
know, and GitHub adds keys freely: it is no judge of what really comes.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).parents[2] / "data" / "github" / "webhook-schemas.json"

_REFERENCE = "#/definitions/"


def payload_problem(event: str, payload: Mapping[str, Any]) -> str | None:
    """Return what the schema of the event, and of its action, holds against a payload, or None."""
    name = f"{event}${payload.get('action', 'event')}"
    if name not in _definitions():
        return f"there is no schema {name}"
    for error in _validator(name).iter_errors(payload):
        place = ".".join(map(str, error.absolute_path)) or "the payload"
        return f"{place}: {error.message[:300]}"
    return None


def cut(whole: Mapping[str, Any], events: frozenset[str]) -> dict[str, Any]:
    """Return the definitions of `events` and what they refer to, of the package's schema.json."""
    definitions: Mapping[str, Any] = whole["definitions"]
    wanted = [name for name in definitions if name.partition("$")[0] in events and "$" in name]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += _references(definitions[name])
    return {name: definitions[name] for name in sorted(found)}


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix(_REFERENCE)
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _references(part)


@cache
def _definitions() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMAS.read_bytes())
    return found


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"{_REFERENCE}{name}", "definitions": _definitions()})
