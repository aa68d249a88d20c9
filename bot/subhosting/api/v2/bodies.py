"""Bodies that may be missing."""

from typing import Any

from flask import request

from bot.subhosting.api.requests import json_body


def optional_json_body() -> dict[str, Any]:
    """Return the request's JSON object; none at all is an empty one.

    The npm SDK posts an empty body with a JSON content type.

    Raises:
        InvalidRequest: there is a body, and it is no JSON object.

    """
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    return json_body() if has_body else {}
