"""Who is calling, and what they may do; refusals in GitHub's words."""

from dataclasses import dataclass
from datetime import timedelta

import jwt

from tests.fakes.github.entities import App, Token, TokenKind
from tests.fakes.github.refusals import Refusal, not_found
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.store import Store, covers

# An App's JWT may live ten minutes; GitHub allows a minute for clocks that go wrong.
# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
JWT_LIFE = timedelta(minutes=10)
DRIFT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody: an App by its JWT, a token, or nobody."""

    app: App | None = None
    token: Token | None = None

    @property
    def name(self) -> str:
        """Return what the history calls the caller."""
        if self.app is not None:
            return f"app {self.app.id}"
        return self.token.login if self.token is not None else "nobody"

    @property
    def login(self) -> str:
        """Return the account that a write is attributed to."""
        return self.token.login if self.token is not None else "nobody"


def identify(header: str | None, store: Store) -> Caller:
    """Return who sent `header` (Authorization)."""
    if header is None:
        return Caller()
    scheme, _, value = header.partition(" ")
    if scheme.lower() not in {"bearer", "token"} or not value:
        raise Refusal(401, "Bad credentials")
    if value.count(".") == 2 and not value.startswith("gh"):
        return Caller(app=_app_of(value, store))
    return Caller(token=store.token(value))


def _app_of(encoded: str, store: Store) -> App:
    try:
        claims = jwt.decode(encoded, options={"verify_signature": False})
        app = store.apps[int(claims["iss"])]
        claims = jwt.decode(
            encoded,
            app.public_key,
            algorithms=["RS256"],
            # Time is judged below, by the fake's own clock.
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    _judge_times(claims, store)
    return app


def _judge_times(claims: dict[str, object], store: Store) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    now = store.clock.now().timestamp()
    if not isinstance(issued, int) or issued > now + DRIFT.total_seconds():
        raise Refusal(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the "
            "assertion was issued",
        )
    if not isinstance(expires, int) or expires <= now:
        raise Refusal(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future "
            "time at which the assertion expires",
        )
    if expires > now + (JWT_LIFE + DRIFT).total_seconds():
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")


def require_app(caller: Caller) -> App:
    """Return the App that calls with its own JWT."""
    if caller.app is None:
        raise Refusal(401, "A JSON web token could not be decoded")
    return caller.app


def require(
    caller: Caller, repository: FakeRepository, permission: str, level: str, store: Store
) -> None:
    """Refuse unless `caller` holds `permission` at `level` on `repository`."""
    token = caller.token
    if token is None:
        _require_public(caller, repository, level)
    elif repository.id not in token.repositories:
        _require_open(token, repository, level)
    elif token.kind is TokenKind.PERSONAL:
        _require_person(token, repository, permission, level, store)
    elif not covers(token.permissions.get(permission), level):
        raise _not_accessible(token)


def _require_public(caller: Caller, repository: FakeRepository, level: str) -> None:
    if caller.app is not None:
        raise Refusal(401, "Bad credentials")  # a JWT opens /app only
    if level != "read":
        raise Refusal(401, "Requires authentication")
    if repository.private:
        raise not_found()


def _require_open(token: Token, repository: FakeRepository, level: str) -> None:
    """Refuse a token that was not given this repository anything but what everybody may."""
    if repository.private:
        raise not_found()
    if level != "read":
        raise _not_accessible(token)


def _require_person(
    token: Token, repository: FakeRepository, permission: str, level: str, store: Store
) -> None:
    # "Write permission for the REST API to interact with checks is only available to GitHub Apps."
    if permission == "checks" and level == "write":
        raise _not_accessible(token)
    role = store.collaborators.get((repository.full_name, token.login), "read")
    if level == "write" and role not in {"write", "maintain", "admin"}:
        raise _not_accessible(token)
    if level == "admin" and role != "admin":
        raise not_found()  # who may not see hooks is told that there are none


def _not_accessible(token: Token) -> Refusal:
    whose = "personal access token" if token.kind is TokenKind.PERSONAL else "integration"
    return Refusal(403, f"Resource not accessible by {whose}")
