"""Where the third document and Deno's own differ, which one we follow, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.contract import METHODS, document
from tests.conformance.seeds import third

Schema = dict[str, Any]

# The third's schema names where they are not Deno's.
NAMES = {
    "Error": "ErrorBody",
    "BuildLogEntry": "BuildLogsResponseEntry",
    "AppLogEntry": "AppLogsResponseEntry",
    "DeploymentAsset": "Asset",
    "CreateKvDatabaseRequest": "KvDatabaseDescription",
}
# Requests whose schema Deno writes at the operation itself.
INLINE = {"CreateDomainRequest": "/organizations/{organizationId}/domains"}

DENO = "Deno: its own document, and both official SDKs are made from it"
BOTH = "both: one body can hold both names"
LENIENT = "Deno, which asks for less or allows more; a user of the third never notices"

# By the start of the difference; the longest that fits wins. Whoever finds a new difference here
# must decide on it: a test looks for differences that nobody decided on.
DECISIONS = {
    "missing operation": "Deno: we have it, a user of the third never asks",
    "missing field": "Deno: we send or read it; unknown to a reader of the third, and harmless",
    "Error.error": BOTH,
    "BuildLogEntry.ts": "Deno: no time is published here, and its schema is closed",
    "AppLogEntry.ts": "Deno: its schema is closed and the official SDKs read `time`",
    "KvDatabase.databaseId": "Deno: its schema is closed and the official SDKs read `id`",
    "KvDatabase.kvConnect": "Deno: no such address is published",
    "Project.organizationId": "Deno: its schema is closed",
    "Deployment.envVars": "Deno: variables are never given back, not even redacted",
    "required": DENO,
    "not required": LENIENT,
    "limit": LENIENT,
    "parameter": LENIENT,
}


@dataclass(frozen=True)
class Difference:
    """One difference, and whose word counts."""

    where: str
    third: str
    deno: str

    @property
    def decision(self) -> str | None:
        found = [start for start in DECISIONS if self.where.startswith(start)]
        return DECISIONS[max(found, key=len)] if found else None


def differences() -> list[Difference]:
    """Return every difference of paths, parameters and bodies."""
    return [*_operations(), *_parameters(), *_schemas()]


def _methods(path: Schema) -> set[str]:
    return {name for name in path if name in METHODS}


def _operations() -> Iterator[Difference]:
    ours, theirs = document("v1")["paths"], third()["paths"]
    for path, methods in ours.items():
        for method in sorted(_methods(methods) - _methods(theirs.get(path, {}))):
            yield Difference(f"missing operation {method.upper()} {path}", "absent", "present")


def _resolved(whole: Schema, each: Schema) -> Schema:
    if "$ref" not in each:
        return each
    found = whole
    for part in each["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def _parameters() -> Iterator[Difference]:
    for path, methods in third()["paths"].items():
        for method in sorted(_methods(methods)):
            theirs = _queries(third(), methods[method])
            ours = _queries(document("v1"), document("v1")["paths"][path][method])
            where = f"parameter of {method.upper()} {path}"
            for name in sorted(theirs.keys() | ours.keys()):
                left, right = theirs.get(name), ours.get(name)
                if left != right:
                    yield Difference(f"{where}: {name}", _words(left), _words(right))


def _queries(whole: Schema, operation: Schema) -> dict[str, Schema]:
    each = (_resolved(whole, one) for one in operation.get("parameters", []))
    return {
        one["name"]: _plain(_resolved(whole, one["schema"]))
        for one in each
        if one["in"] == "query"
    }


def _plain(schema: Schema) -> Schema:
    kept = ("type", "enum", "minimum", "maximum", "default", "format")
    return {name: schema[name] for name in kept if name in schema}


def _words(schema: Schema | None) -> str:
    if schema is None:
        return "absent"
    return ", ".join(f"{name} {value}" for name, value in schema.items()) or "anything"


def _schemas() -> Iterator[Difference]:
    for name, theirs in third()["components"]["schemas"].items():
        ours = _ours(name)
        left, right = theirs.get("properties", {}), ours.get("properties", {})
        for field in sorted(left.keys() - right.keys()):
            yield Difference(f"{name}.{field}", "present", "absent")
        for field in sorted(right.keys() - left.keys()):
            yield Difference(f"missing field {name}.{field}", "absent", "present")
        needed, asked = set(theirs.get("required", [])), set(ours.get("required", []))
        for field in sorted(asked - needed):
            yield Difference(f"required {name}.{field}", "optional", "required")
        for field in sorted((needed - asked) & right.keys()):
            yield Difference(f"not required {name}.{field}", "required", "optional")
        for field in sorted(left.keys() & right.keys()):
            yield from _limits(f"{name}.{field}", left[field], right[field])


def _limits(where: str, theirs: Schema, ours: Schema) -> Iterator[Difference]:
    for rule in ("minLength", "maxLength", "enum"):
        left = theirs.get(rule)
        right = _resolved(document("v1"), ours).get(rule)
        if (
            left is not None
            and left != right
            and sorted(map(str, _listed(left))) != sorted(map(str, _listed(right)))
        ):
            yield Difference(f"limit {where} {rule}", str(left), str(right or "none"))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _ours(name: str) -> Schema:
    if name in INLINE:
        body = document("v1")["paths"][INLINE[name]]["post"]["requestBody"]
        found: Schema = body["content"]["application/json"]["schema"]
        return found
    schema: Schema = document("v1")["components"]["schemas"][NAMES.get(name, name)]
    if "oneOf" not in schema:
        return schema
    parts = [_resolved(document("v1"), each) for each in schema["oneOf"]]
    fields = {key: value for part in parts for key, value in part["properties"].items()}
    common = set.intersection(*(set(part["required"]) for part in parts))
    return {"properties": fields, "required": sorted(common)}
