"""Errors as v2 spells them: UPPER_SNAKE, flat and nested at once.

The published prose shows `{"error": {...}}`, both SDKs read the flat pair; a body with both is
understood by everybody.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Response

from bot.wire.deploy_v2 import ErrorBody

TRACE_ID = "x-deno-trace-id"

_PREFIXES = ("/v2", "/api/v2")

# What one store calls by two names. SLUG_ALREADY_IN_USE, MALFORMED_REQUEST and INVALID_TOKEN were
# seen at Deno's own service; its 404 codes are not published.
_CODES = {
    "invalidRequest": "MALFORMED_REQUEST",
    "invalidJson": "MALFORMED_REQUEST",
    "projectNotFound": "APP_NOT_FOUND",
    "deploymentNotFound": "REVISION_NOT_FOUND",
    "projectNameTaken": "SLUG_ALREADY_IN_USE",
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def speaks_v2(path: str) -> bool:
    """Return whether a request's path belongs to this API."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in _PREFIXES)


def body(ours: Mapping[str, object]) -> dict[str, Any]:
    """Return v2's form of a v1 error body; what we add to one stays."""
    code, message = str(ours["code"]), str(ours["message"])
    spelled = _CODES.get(code) or _HUMP.sub("_", code).upper()
    document = ErrorBody.of(spelled, message).model_dump(mode="json")
    return {**{name: value for name, value in ours.items() if name not in document}, **document}


def traced(response: Response) -> Response:
    """Name a request, as Deno does in every answer."""
    response.headers[TRACE_ID] = secrets.token_hex(16)
    return response
