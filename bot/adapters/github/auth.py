"""As whom we speak to GitHub: an App with its key, or one token."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from github import Github

from bot.adapters.github.clients import Clients
from bot.adapters.github.limits import Retries
from bot.core.model.errors import ConfigurationProblem, ForgeRefused
from bot.core.model.ids import Repository, RepositoryId
from bot.kernel.clock import Clock
from bot.wire.github import AppAnswer, InstallationAnswer, TokenAnswer, UserAnswer

# A JWT may live ten minutes, and its start may lie a minute back for clocks that go wrong.
# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
JWT_LIFE = timedelta(minutes=9)
JWT_BACKDATE = timedelta(minutes=1)

# A token or JWT is replaced this long before its end, so that no request starts with a dying one.
RENEW_BEFORE_END = timedelta(minutes=2)

# What installation tokens begin with; a workflow's GITHUB_TOKEN is one too.
INSTALLATION_TOKEN_PREFIX = "ghs_"  # noqa: S105 - a shape, not a token

_UNPROCESSABLE = 422

log = structlog.get_logger()


# No such installation or repository; the repository is none of the installation's. A suspended one
# (403) will come back.
_GONE = {404, 410, 422}


class Access(Protocol):
    """The login that a forge works with."""

    @property
    def writes_checks(self) -> bool:
        """Say whether check runs may be written; only an App's tokens can."""
        ...

    @property
    def app_id(self) -> int | None:
        """Return whose check runs are ours, None when unknown."""
        ...

    def client(self, repository: Repository) -> Github:
        """Return this thread's client for `repository`."""
        ...

    def login(self) -> str | None:
        """Return the account that our writes are shown under, None where GitHub does not tell."""
        ...

    def forget(self, repository: Repository) -> None:
        """Drop a token that GitHub refused."""
        ...

    def git_credential(self, repository: Repository) -> str:
        """Return a password for reading `repository` with git."""
        ...

    def reaches(self, repository: Repository) -> bool | None:
        """Tell whether `repository` is still given to us; None when reading it has to tell."""
        ...


class TokenAccess:
    """One token for everything: `PREVIEWBOT_GITHUB_TOKEN`, or a workflow's own."""

    app_id: int | None = None

    def __init__(self, token: str, clients: Clients) -> None:
        """Act with `token`."""
        self._token = token
        self._clients = clients
        self._login: str | None = None
        self.writes_checks = token.startswith(INSTALLATION_TOKEN_PREFIX)

    def client(self, repository: Repository) -> Github:  # noqa: ARG002 - the same for all
        """Return this thread's client."""
        return self.any_client()

    def any_client(self) -> Github:
        """Return this thread's client."""
        return self._clients.with_token("token", self._token)

    def login(self) -> str | None:
        """Return whose token it is; of a workflow's own token GitHub does not tell."""
        if self.writes_checks:
            return None
        if self._login is None:
            requester = self._clients.with_token("token", self._token).requester
            _, answer = requester.requestJsonAndCheck("GET", "/user")
            self._login = UserAnswer.model_validate(answer).login
        return self._login

    def forget(self, repository: Repository) -> None:
        """Do nothing: there is no other token."""

    def git_credential(self, repository: Repository) -> str:  # noqa: ARG002 - the same for all
        """Return the token itself."""
        return self._token

    def reaches(self, repository: Repository) -> None:
        """Return None: a token reaches what can be read with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """A secret and its end."""

    secret: str = field(repr=False)
    ends_at: datetime


class AppAccess:
    """A GitHub App: its key signs JWTs, a JWT mints a token for each repository."""

    writes_checks = True

    def __init__(
        self,
        app_id: int,
        private_key: str,
        *,
        clients: Clients,
        retries: Retries,
        clock: Clock,
        permissions: Mapping[str, str] | None = None,
    ) -> None:
        """Act as App `app_id`, whose `private_key` is PEM text.

        Tokens get `permissions` (name to level, as GitHub spells them); None: all of the App's.

        Raises:
            ConfigurationProblem: the key is none.

        """
        self.app_id: int | None = app_id
        self._key = _loaded(private_key)  # once: parsing costs more than signing
        self._clients = clients
        self._retries = retries
        self._clock = clock
        self._lock = threading.Lock()
        self._jwt: _Ending | None = None
        self._login: str | None = None
        self._permissions = permissions
        self._tokens: dict[RepositoryId, _Ending] = {}
        self._installations: dict[RepositoryId, int] = {}

    def client(self, repository: Repository) -> Github:
        """Return this thread's client, whose token reaches this one repository and no more."""
        with self._lock:
            token = self._tokens.get(repository.id)
        if token is None or self._ends_soon(token):
            token = self._minted_for(repository)
            with self._lock:
                self._tokens[repository.id] = token
        return self._clients.with_token(repository.id, token.secret)

    def login(self) -> str | None:
        """Return the App's bot account, asked once."""
        if self._login is None:
            app = AppAnswer.model_validate(self.as_app("GET", "/app", None)[1])
            self._login = f"{app.slug}[bot]"
        return self._login

    def forget(self, repository: Repository) -> None:
        """Drop the repository's token; it was revoked, or the App's permissions changed."""
        with self._lock:
            self._installations.pop(repository.id, None)
            self._tokens.pop(repository.id, None)

    def git_credential(self, repository: Repository) -> str:
        """Return a new token, good for an hour, that can read this one repository and no more."""
        scope: dict[str, object] = {
            "repository_ids": [repository.id],
            "permissions": {"contents": "read"},
        }
        return self._mint(self._installation(repository), scope).secret

    def installed(self, installation: int) -> Github:
        """Return this thread's client for asking what an installation was given, for an hour.

        Its token may read the names of repositories and nothing in them.
        """
        token = self._mint(installation, {"permissions": {"metadata": "read"}})
        return self._clients.with_token(("installation", installation), token.secret)

    def reaches(self, repository: Repository) -> bool:
        """Tell whether the App is still installed on the repository of this number.

        A public one can be read in any case; a token for it alone is given out only if it is ours.
        """
        try:
            self.git_credential(repository)
        except ForgeRefused as refusal:
            return refusal.status not in _GONE
        return True

    def _installation(self, repository: Repository) -> int:
        """Return the event's installation, or ask: a repository webhook's payload names none."""
        if repository.installation is not None:
            return repository.installation
        with self._lock:
            known = self._installations.get(repository.id)
        if known is not None:
            return known
        path = f"/repos/{repository.name}/installation"
        answer = InstallationAnswer.model_validate(self.as_app("GET", path, None)[1])
        with self._lock:
            self._installations[repository.id] = answer.id
        return answer.id

    def _minted_for(self, repository: Repository) -> _Ending:
        """Return a new token with the rights that we use.

        An App that was never given one of them gets a token with all that it has, as GitHub mints
        none that asks for more: what works without the missing right goes on working.
        """
        installation = self._installation(repository)
        scope: dict[str, object] = {"repository_ids": [repository.id]}
        if self._permissions is None:
            return self._mint(installation, scope)
        try:
            return self._mint(installation, scope | {"permissions": dict(self._permissions)})
        except ForgeRefused as refusal:
            if refusal.status != _UNPROCESSABLE:
                raise
            log.warning("app_lacks_permissions", wanted=sorted(self._permissions))
            return self._mint(installation, scope)

    def _mint(self, installation: int, scope: dict[str, object]) -> _Ending:
        path = f"/app/installations/{installation}/access_tokens"
        answer = TokenAnswer.model_validate(self.as_app("POST", path, scope)[1])
        return _Ending(secret=answer.token, ends_at=answer.expires_at)

    def as_app(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        parameters: Mapping[str, str] | None = None,
    ) -> tuple[Mapping[str, str], object]:
        """Return headers and document of a call that the App makes in its own name.

        Only for calls that may be repeated without harm.
        """

        def attempt(_number: int) -> tuple[Mapping[str, str], object]:
            requester = self._clients.with_jwt("app", self._signed()).requester
            return requester.requestJsonAndCheck(
                method,
                path,
                parameters=dict(parameters or {}),
                input=None if body is None else dict(body),
            )

        return self._retries.call(
            f"{method} {path}", attempt, right="the App to be installed on the repository"
        )

    def _signed(self) -> str:
        with self._lock:
            if self._jwt is None or self._ends_soon(self._jwt):
                now = self._clock.now()
                ends_at = now + JWT_LIFE
                claims = {
                    "iat": int((now - JWT_BACKDATE).timestamp()),
                    "exp": int(ends_at.timestamp()),
                    "iss": str(self.app_id),
                }
                signed = jwt.encode(claims, self._key, algorithm="RS256")
                self._jwt = _Ending(secret=signed, ends_at=ends_at)
            return self._jwt.secret

    def _ends_soon(self, secret: _Ending) -> bool:
        return secret.ends_at - self._clock.now() < RENEW_BEFORE_END


def _loaded(private_key: str) -> RSAPrivateKey:
    where = "download a new one on the App's page, under Private keys"
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        problem = f"this is not a private key in PEM form without a password; {where}"
        raise ConfigurationProblem("PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE", problem) from error
    if not isinstance(key, RSAPrivateKey):
        problem = f"this is not an RSA key; {where}"
        raise ConfigurationProblem("PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE", problem)
    return key
