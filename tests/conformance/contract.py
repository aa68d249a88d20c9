"""The two OpenAPI documents as a judge: what was asked, and is the answer as promised."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

DATA = Path(__file__).parents[1] / "data" / "conformance"
FILES = {version: DATA / f"deno-{version}-openapi.yaml" for version in ("v1", "v2")}
METHODS = ("get", "post", "put", "patch", "delete")

JSON = "application/json"
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"

# What a server answers that has no such route: the token is checked before the route is looked
# for, and wrong requests carry wrong tokens too. So these prove nothing about an operation.
UNREACHED = {401, 404, 405, 501}

Document = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `whole` is false when the client hung up before its end."""

    status: int
    content_type: str
    body: bytes
    whole: bool = True


@dataclass(frozen=True)
class Operation:
    """One of the 32 and 35."""

    version: str
    name: str
    method: str
    path: str
    responses: Document = field(compare=False, hash=False)

    @property
    def key(self) -> str:
        return f"{self.version} {self.name}"

    def fits(self, method: str, path: str) -> bool:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path))
        return method == self.method and re.fullmatch(pattern, path) is not None

    def promised(self, status: int) -> Document | None:
        """Return the response object for `status`, references resolved."""
        for name in (str(status), f"{status // 100}XX"):
            if name in self.responses:
                found: Document = self.responses[name]
                reference = found.get("$ref")
                return found if reference is None else resolved(self.version, reference)
        return None


@cache
def document(version: str) -> Document:
    parsed: Document = yaml.safe_load(FILES[version].read_text(encoding="utf-8"))
    return parsed


def resolved(version: str, reference: str) -> Document:
    found = document(version)
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(version, each["operationId"], method.upper(), path, each["responses"])
        for version in FILES
        for path, methods in document(version)["paths"].items()
        for method, each in methods.items()
        if method in METHODS
    )


def asked(method: str, target: str) -> Operation | None:
    """Return the operation that a request means, if it is one of ours."""
    path = target.partition("?")[0].removeprefix("/api")
    version, _, rest = path.removeprefix("/").partition("/")
    found = (each for each in operations() if each.version == version)
    return next((each for each in found if each.fits(method, f"/{rest}")), None)


def violations(operation: Operation, answer: Answer) -> list[str]:
    """Return how the answer breaks the document's promise, in words."""
    if answer.status >= 500:
        return [f"{answer.status}: {answer.body[:200]!r}"]
    promised = operation.promised(answer.status)
    if promised is None and answer.status < 400:
        return [f"{answer.status} is not in the document"]
    if promised is None:
        # v1 lists 400, 401 and 404 only; a refusal such as 413 or 429 must still be an ErrorBody.
        promised = {"content": {JSON: {"schema": {"$ref": error_schema(operation.version)}}}}
    return list(_of_content(operation, promised.get("content", {}), answer))


def error_schema(version: str) -> str:
    return {"v1": "#/components/schemas/ErrorBody", "v2": "#/components/schemas/Error"}[version]


def _of_content(operation: Operation, content: Document, answer: Answer) -> Iterator[str]:
    kind = answer.content_type.partition(";")[0].strip()
    if not content:
        if answer.body:
            yield f"{answer.status} promises no body: {answer.body[:100]!r}"
    elif kind not in content:
        yield f"{answer.status} promises {' or '.join(content)}, not {kind or 'nothing'}"
    else:
        # An event stream's data is described by its twin in JSON lines.
        schema = content[NDJSON if kind == SSE else kind]["schema"]
        for item in _items(kind, answer):
            yield from _of_item(operation.version, schema, item)


def _items(kind: str, answer: Answer) -> list[str]:
    text = answer.body.decode()
    if kind == JSON:
        return [text]
    end = "\n\n" if kind == SSE else "\n"
    whole = text if answer.whole else text[: text.rfind(end) + 1]
    if kind == NDJSON:
        return [line for line in whole.splitlines() if line.strip()]
    events = (
        "\n".join(re.findall(r"^data: ?(.*)$", event, re.MULTILINE)) for event in whole.split(end)
    )
    return [data for data in events if data]


def _of_item(version: str, schema: Document, text: str) -> Iterator[str]:
    try:
        item = json.loads(text)
    except ValueError:
        yield f"not JSON: {text[:100]!r}"
        return
    # Local references resolve against the root, so the components come along.
    whole = {**schema, "components": document(version)["components"]}
    checker = Draft202012Validator.FORMAT_CHECKER
    for error in Draft202012Validator(whole, format_checker=checker).iter_errors(item):
        yield f"{error.json_path}: {error.message}"[:300]
