"""AWS Signature Version 4 for one request to S3: pure, so that Amazon's own examples test it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from pydantic import SecretStr

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "s3"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Credentials:
    """Who signs, and for which region. The secret is not in its repr."""

    access_key_id: str
    secret_access_key: SecretStr
    region: str


def canonical_path(path: str) -> str:
    """Return `path` with every byte encoded but unreserved ones and slashes, once, as S3 wants."""
    return quote(path, safe="/-_.~")


def signed_headers(
    credentials: S3Credentials,
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    content_sha256: str,
    now: datetime,
) -> dict[str, str]:
    """Return `headers` with date, content hash and Authorization added.

    `path` is canonical already and has no query; `headers` hold at least `Host`, as it is sent.
    """
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    everything = {
        **headers,
        "x-amz-content-sha256": content_sha256,
        "x-amz-date": moment,
    }
    lowered = {name.lower(): " ".join(text.split()) for name, text in everything.items()}
    names = ";".join(sorted(lowered))
    listed = "".join(f"{name}:{lowered[name]}\n" for name in sorted(lowered))
    request = f"{method}\n{path}\n\n{listed}\n{names}\n{content_sha256}"
    scope = f"{moment[:8]}/{credentials.region}/{_SERVICE}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = hmac.new(
        _key(credentials, moment[:8]),
        f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}".encode(),
        hashlib.sha256,
    ).hexdigest()
    everything["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    )
    return everything


def _key(credentials: S3Credentials, day: str) -> bytes:
    """Return the key of a day, region and service; it signs nothing elsewhere."""
    key = f"AWS4{credentials.secret_access_key.get_secret_value()}".encode()
    for part in (day, credentials.region, _SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
