"""GitHub Actions says who a workflow run is; we decide what it may deploy.

The claims are listed in https://docs.github.com/en/actions/reference/security/oidc.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import jwt

from bot.kernel.clock import Clock
from bot.subhosting.trust.issuer import IssuerKeys

# How far apart GitHub's clock and ours may be.
SKEW = timedelta(seconds=60)

# Real ones have about 2,000 characters.
MAX_TOKEN_CHARS = 16_384

# Runs whose code is what the branch holds. `workflow_run`, `issue_comment` and their like also run
# "on" the default branch, but are started by strangers and often check out the stranger's code.
# https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
PRODUCTION_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch"})

# Runs with the base repository's rights on a pull request that anybody may open.
_REFUSED_EVENTS = frozenset({"pull_request_target"})

# Text claims that every token of a run has, with what they look like.
_TEXTS = {
    "sub": re.compile(r".+"),
    "repository": re.compile(r"[^/\s]+/[^/\s]+"),
    "repository_id": re.compile(r"[0-9]{1,19}"),
    "repository_owner_id": re.compile(r"[0-9]{1,19}"),
    "ref": re.compile(r"refs/.+"),
    "sha": re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}"),
    "event_name": re.compile(r"[a-z_]+"),
    "run_id": re.compile(r"[0-9]{1,19}"),
}
_MOMENTS = ("exp", "nbf", "iat")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowIdentity:
    """Which run of which repository presented a token, as GitHub signed it."""

    repository_id: int
    repository: str
    repository_owner_id: int
    ref: str
    sha: str
    event_name: str
    run_id: int


@dataclass(frozen=True, slots=True)
class Untrusted:
    """The token proves nothing here: a 401. `reason` is for its sender."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryLink:
    """Made by the operator with `previewbot subhosting link`; never taken from a request.

    The webhook payload that the Action sends along also names a default branch, but nobody signed
    that payload.
    """

    repository_id: int
    default_branch: str | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The run may deploy; `production` says whether the project's own hosts move to it."""

    production: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The run is who it says, and may not deploy: a 403."""

    code: str
    message: str


class TokenVerifier:
    """Checks tokens that were made for one server."""

    def __init__(self, origin: str, keys: IssuerKeys, clock: Clock) -> None:
        """Expect audiences below `origin`, for example `https://subhosting.example`."""
        self._origin = origin.rstrip("/")
        self._keys = keys
        self._clock = clock

    def verify(self, token: str, project: str) -> WorkflowIdentity | Untrusted:
        """Return who presents `token` for `project`, which is named as in the request's path.

        deployctl's Action asks GitHub for the audience `<origin>/projects/<project>`; see
        denoland/deployctl, `action/index.js`.

        Raises:
            IssuerUnavailable: the issuer's keys cannot be fetched.

        """
        claims = self._signed_claims(token)
        if isinstance(claims, Untrusted):
            return claims
        problem = (
            self._address_problem(claims, project)
            or self._time_problem(claims)
            or _claim_problem(claims)
        )
        return _identity(claims) if problem is None else Untrusted(problem)

    def _signed_claims(self, token: str) -> Mapping[str, object] | Untrusted:
        if len(token) > MAX_TOKEN_CHARS:
            return Untrusted(f"the token is longer than {MAX_TOKEN_CHARS} characters")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError):
            return Untrusted("the token is not a JSON Web Token")
        kid = header.get("kid")
        if header.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in header:
            return Untrusted("the token must be signed with RS256 by a key with an id")
        key = self._keys.find(kid)
        if key is None:
            return Untrusted("the token's key is not one of the issuer's")
        try:
            # Only the signature is PyJWT's affair: its clock is the machine's, and its audience
            # may be one of many.
            claims: Mapping[str, object] = jwt.decode(
                token, key, algorithms=["RS256"], options=_SIGNATURE_ONLY
            )
        except (jwt.InvalidTokenError, ValueError):
            return Untrusted("the token's signature is wrong")
        return claims

    def _address_problem(self, claims: Mapping[str, object], project: str) -> str | None:
        if claims.get("iss") != self._keys.issuer:
            return f"iss: must be {self._keys.issuer}"
        expected = f"{self._origin}/projects/{project}"
        if claims.get("aud") != expected:
            return f"aud: must be {expected}"
        return None

    def _time_problem(self, claims: Mapping[str, object]) -> str | None:
        moments: dict[str, int] = {}
        for name in _MOMENTS:
            moment = claims.get(name)
            if not isinstance(moment, int) or isinstance(moment, bool):
                return f"{name}: must be a whole number of seconds"
            moments[name] = moment
        now_s = self._clock.now().timestamp()
        skew_s = SKEW.total_seconds()
        if moments["exp"] <= now_s - skew_s:
            return "exp: the token has expired"
        for name in ("nbf", "iat"):
            if moments[name] > now_s + skew_s:
                return f"{name}: the token is not valid yet"
        return None


def may_deploy(identity: WorkflowIdentity, link: RepositoryLink | None) -> Allowed | Refused:
    """Return whether the run may deploy to the project with this link, and as what.

    The id counts and not the name: a name is free again after a repository was renamed or deleted.
    """
    if link is None:
        return Refused(
            code="projectNotLinked",
            message="project: it is not linked to a repository; the operator can do that with "
            "`previewbot subhosting link`.",
        )
    if identity.repository_id != link.repository_id:
        return Refused(
            code="repositoryNotLinked",
            message=f"repository_id: the project is not linked to {identity.repository}.",
        )
    if identity.event_name in _REFUSED_EVENTS:
        return Refused(
            code="eventNotAllowed",
            message=f"event_name: workflows on {identity.event_name} may not deploy.",
        )
    return Allowed(production=_is_production(identity, link))


def _is_production(identity: WorkflowIdentity, link: RepositoryLink) -> bool:
    if link.default_branch is None or identity.event_name not in PRODUCTION_EVENTS:
        return False
    return identity.ref == f"refs/heads/{link.default_branch}"


_SIGNATURE_ONLY: "jwt.types.Options" = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
    "require": [],
}


def _claim_problem(claims: Mapping[str, object]) -> str | None:
    for name, shape in _TEXTS.items():
        text = claims.get(name)
        if not isinstance(text, str) or shape.fullmatch(text) is None:
            return f"{name}: is missing or has an unknown form"
    return None


def _identity(claims: Mapping[str, object]) -> WorkflowIdentity:
    return WorkflowIdentity(
        repository_id=int(str(claims["repository_id"])),
        repository=str(claims["repository"]),
        repository_owner_id=int(str(claims["repository_owner_id"])),
        ref=str(claims["ref"]),
        sha=str(claims["sha"]),
        event_name=str(claims["event_name"]),
        run_id=int(str(claims["run_id"])),
    )
