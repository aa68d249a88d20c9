"""GitHub's own description of its API, asked about every request."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

SUBSET = Path(__file__).parents[2] / "data" / "github" / "openapi-subset.json"
HOST = "https://api.github.com"

# Of each end of a message: jsonschema quotes the whole offending document in between.
QUOTED_CHARACTERS = 200


@cache
def openapi() -> OpenAPI:
    """Load the description once per process; it takes half a second."""
    description = json.loads(SUBSET.read_bytes())
    _allow_null(description)
    _allow_a_fork_that_is_gone(description)
    return OpenAPI.from_dict(description)


def _allow_null(node: Any) -> None:  # noqa: ANN401 - any part of the description
    """Add null to the words of every nullable enum: OpenAPI wants that, GitHub leaves it out."""
    if isinstance(node, dict):
        if node.get("nullable") is True and None not in node.get("enum", [None]):
            node["enum"].append(None)
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            _allow_null(part)


def _allow_a_fork_that_is_gone(description: dict[str, Any]) -> None:
    """Let `head.repo` be null, as GitHub answers once the fork was deleted.

    The description has no word for it; the one of webhooks does (`"repo": {"oneOf": [..., null]}`
    in `pull_request` of @octokit/webhooks-schemas).
    """
    schemas = description["components"]["schemas"]
    head = schemas["pull-request"]["properties"]["head"]["properties"]
    head["repo"] = schemas["repository"] | {"nullable": True}


@cache
def described() -> frozenset[tuple[str, str]]:
    """Return every (method, path pattern) that the description holds."""
    paths = json.loads(SUBSET.read_bytes())["paths"]
    return frozenset(
        (method.upper(), pattern) for pattern, operations in paths.items() for method in operations
    )


def request_problem(
    method: str,
    pattern: str,
    parameters: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
) -> str | None:
    """Return what GitHub's description holds against a request, or None."""
    asked = _request(method, pattern, parameters, query, body)
    try:
        openapi().validate_request(asked)
    except OpenAPIError as error:
        return _explain(error)
    return None


def answer_problem(
    method: str, pattern: str, parameters: Mapping[str, str], status: int, body: bytes
) -> str | None:
    """Return where an answer of the fake differs from GitHub's description, or None."""
    asked = _request(method, pattern, parameters, {}, b"")
    answer = MockResponse(data=body, status_code=status, content_type="application/json")
    try:
        openapi().validate_response(asked, answer)
    except OpenAPIError as error:
        return _explain(error)
    return None


def _request(
    method: str,
    pattern: str,
    parameters: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
) -> MockRequest:
    return MockRequest(
        HOST,
        method,
        pattern,
        path_pattern=pattern,
        args=dict(query),
        view_args=dict(parameters),
        data=body,
    )


def _explain(error: BaseException) -> str:
    """Flatten the chain of causes: the outermost message alone says only "invalid"."""
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        details = [getattr(e, "message", str(e)) for e in getattr(cause, "schema_errors", ())]
        said += [_both_ends(text) for text in (str(cause), *details)]
        cause = cause.__cause__
    return "; ".join(dict.fromkeys(said))


def _both_ends(text: str) -> str:
    if len(text) <= 2 * QUOTED_CHARACTERS:
        return text
    return f"{text[:QUOTED_CHARACTERS]} ... {text[-QUOTED_CHARACTERS:]}"
