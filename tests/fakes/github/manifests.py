"""Apps from manifests: the form on GitHub's site, and the endpoint that gives the secrets away."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import serialization

from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.entities import App
from tests.fakes.github.refusals import not_found

GOOD_FOR = timedelta(hours=1)
MAX_NAME = 34

# The right that GitHub wants with an event; of `installation` events it wants not to be asked.
RIGHT_OF = {
    "check_run": "checks",
    "check_suite": "checks",
    "create": "contents",
    "delete": "contents",
    "issue_comment": "issues",
    "pull_request": "pull_requests",
    "push": "contents",
    "repository": "metadata",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """An App whose maker has not fetched the secrets yet."""

    app: App
    private_key: str
    webhook_secret: str
    made_at: datetime


def problems(manifest: dict[str, Any]) -> list[str]:
    """Return what GitHub's form would complain of."""
    found = []
    if not manifest.get("url"):
        found.append("url is missing")
    if not 0 < len(manifest.get("name", "-")) <= MAX_NAME:
        found.append("name is too long (maximum is 34 characters)")
    for event in manifest.get("default_events", []):
        if event not in RIGHT_OF:
            found.append(f"Default events unsupported: {event}")
        elif RIGHT_OF[event] not in manifest.get("default_permissions", {}):
            found.append(f"Default events are not supported by permissions: {event}")
    return found


def redirect_of(manifest: dict[str, Any], code: str, state: str) -> str:
    """Return where the browser is led to."""
    return f"{manifest['redirect_url']}?{urlencode({'code': code, 'state': state})}"


def convert(call: Call) -> Answer:
    """POST a conversion: once, within the hour, by anybody who has the code."""
    with call.store.changing():
        made = call.store.conversions.pop(call.parameters["code"], None)
    if made is None or call.store.clock.now() - made.made_at > GOOD_FOR:
        raise not_found()
    document = call.documents.app(made.app) | {
        "client_secret": secrets.token_hex(20),
        "webhook_secret": made.webhook_secret,
        "pem": made.private_key,
    }
    return Answer(status=201, document=document)


def pem_of(key: Any) -> str:  # noqa: ANN401 - an RSA key
    """Return a private key as GitHub hands it out."""
    text: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return text.decode()


ROUTES = [
    Route(
        method="POST",
        pattern="/app-manifests/{code}/conversions",
        permission=None,
        handler=convert,
    )
]
