"""Who may read the pages: whoever has the admin token, as a password or as a bearer token."""

import hmac

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized


def require(admin_token: str | None) -> None:
    """Let the present request pass if it carries `admin_token`, or if there is none to carry.

    Raises:
        Unauthorized: the token is missing or wrong; browsers then ask for it.

    """
    if admin_token is None:
        return
    given = _given().encode("utf-8", "surrogatepass")
    # An empty token protects nothing, so it lets nobody in.
    if not admin_token or not hmac.compare_digest(given, admin_token.encode()):
        raise Unauthorized(
            "Give the admin token as password (any user name) or as a bearer token.",
            www_authenticate=WWWAuthenticate("basic", {"realm": "previewbot", "charset": "UTF-8"}),
        )


def _given() -> str:
    """Return what the request gives as a token, "" for nothing."""
    authorization = request.authorization
    if authorization is None:
        return ""
    if authorization.type == "bearer":
        return authorization.token or ""
    return str(authorization.parameters.get("password") or "") if authorization.parameters else ""
