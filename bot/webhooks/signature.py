"""Who signed a delivery: HMAC-SHA256 over the raw bytes, compared in constant time.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import TypeVar

HEADER = "X-Hub-Signature-256"

Name = TypeVar("Name")


def signature(secret: bytes, body: bytes) -> str:
    """Return the header's value for `body`: "sha256=" and 64 lower-case hex digits."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def verified_by(header: str | None, body: bytes, secrets: Mapping[Name, bytes]) -> Name | None:
    """Return the name of the secret that signed `body`, or None if none of `secrets` did.

    Every secret is tried whatever the others gave, so that the time taken tells nothing. An empty
    secret verifies nothing: anybody could sign with it.
    """
    given = (header or "").encode("utf-8", "replace")  # compare_digest takes no other text
    found = None
    for name, secret in secrets.items():
        right = hmac.compare_digest(signature(secret, body).encode(), given)
        if right and secret:
            found = name
    return found
