"""The public keys of one OpenID Connect issuer, fetched from that issuer and nobody else."""

import threading
from collections.abc import Mapping
from datetime import timedelta

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from bot.kernel.clock import Clock
from bot.subhosting.errors import SubhostingError
from bot.subhosting.trust.fetching import FetchFailed, fetch

GITHUB = "https://token.actions.githubusercontent.com"

# GitHub's documents have a few kilobytes.
MAX_DOCUMENT_BYTES = 256 * 1024
FETCH_WITHIN = timedelta(seconds=10)

# A key that the issuer withdrew is believed this long at most while the issuer answers.
FRESH_FOR = timedelta(hours=1)
# And this long while it does not.
USABLE_FOR = timedelta(hours=24)
# Tokens with made-up key ids must not make us hammer the issuer.
ASK_AT_MOST_EVERY = timedelta(seconds=60)

MIN_KEY_BITS = 2048


class IssuerUnavailable(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """The issuer's keys could not be fetched and none are cached; try again shortly."""

    status = 503

    def __init__(self, issuer: str) -> None:
        """Name the issuer."""
        super().__init__(
            "issuerUnavailable", f"The keys of {issuer} cannot be fetched now; try again."
        )


class IssuerKeys:
    """Keys by id. Safe to share between threads."""

    def __init__(self, issuer: str, client: httpx.Client, clock: Clock) -> None:
        """Ask `issuer` (no trailing slash) through `client`, which is the operator's, not guarded.

        Raises:
            ValueError: the issuer is not https, and not http on this machine either.

        """
        url = httpx.URL(issuer)
        local = url.scheme == "http" and url.host in {"127.0.0.1", "::1", "localhost"}
        if (url.scheme != "https" and not local) or url.userinfo or issuer.endswith("/"):
            msg = f"an issuer is an https address without a slash at its end, not {issuer!r}"
            raise ValueError(msg)
        self.issuer = issuer
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched_s: float | None = None
        self._asked_s: float | None = None

    def find(self, kid: str) -> RSAPublicKey | None:
        """Return the issuer's RSA signing key with this id, or None.

        An unknown id asks the issuer again, once a minute at most.

        Raises:
            IssuerUnavailable: there are no keys to look in.

        """
        with self._lock:
            if (kid not in self._keys or self._older_than(FRESH_FOR)) and self._may_ask():
                self._refresh()
            if self._fetched_s is None or self._older_than(USABLE_FOR):
                raise IssuerUnavailable(self.issuer)
            return self._keys.get(kid)

    def _older_than(self, age: timedelta) -> bool:
        if self._fetched_s is None:
            return True
        return self._clock.monotonic_s() - self._fetched_s > age.total_seconds()

    def _may_ask(self) -> bool:
        if self._asked_s is None:
            return True
        waited = self._clock.monotonic_s() - self._asked_s
        return waited >= ASK_AT_MOST_EVERY.total_seconds()

    def _refresh(self) -> None:
        self._asked_s = self._clock.monotonic_s()
        try:
            self._keys = _read_keys(self._document(self._jwks_uri()))
        except FetchFailed:
            return
        self._fetched_s = self._clock.monotonic_s()

    def _jwks_uri(self) -> str:
        """Return where the keys are: on the issuer's own host, or nowhere.

        https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
        """
        found = self._document(f"{self.issuer}/.well-known/openid-configuration")
        address = found.get("jwks_uri")
        if found.get("issuer") != self.issuer or not isinstance(address, str):
            msg = f"the configuration of {self.issuer} is not its own"
            raise FetchFailed(msg)
        try:
            theirs, ours = httpx.URL(address), httpx.URL(self.issuer)
        except httpx.InvalidURL as error:
            msg = f"the keys of {self.issuer} are at no address"
            raise FetchFailed(msg) from error
        if theirs.userinfo or _origin(theirs) != _origin(ours):
            msg = f"the keys of {self.issuer} are on another host"
            raise FetchFailed(msg)
        return address

    def _document(self, url: str) -> Mapping[str, object]:
        content = fetch(
            self._client, url, self._clock, max_bytes=MAX_DOCUMENT_BYTES, within=FETCH_WITHIN
        )
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            msg = f"{url} is not JSON"
            raise FetchFailed(msg) from error
        if not isinstance(document, dict):
            msg = f"{url} is not an object"
            raise FetchFailed(msg)
        return document


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _read_keys(document: Mapping[str, object]) -> Mapping[str, RSAPublicKey]:
    """Return the RSA signing keys of a JWK set by id; other entries are passed over (RFC 7517)."""
    listed = document.get("keys")
    found: dict[str, RSAPublicKey] = {}
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        kid = entry.get("kid")
        purposes = entry.get("use", "sig"), entry.get("alg", "RS256")
        if not isinstance(kid, str) or purposes != ("sig", "RS256"):
            continue
        public = {name: entry.get(name) for name in ("kty", "n", "e")}
        try:
            key = RSAAlgorithm.from_jwk(public)
        except (jwt.InvalidKeyError, ValueError, TypeError, AttributeError):
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS:
            found[kid] = key
    return found
