"""How GitHub sees us: for `previewbot doctor`, which compares it with what is needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import TypeAdapter

from bot.adapters.github.auth import AppAccess, TokenAccess
from bot.adapters.github.clients import PAGE_SIZE
from bot.adapters.github.hooks import READ_HOOKS
from bot.adapters.github.limits import Retries
from bot.core.model.ids import RepoName
from bot.wire.github import AppAnswer, HookAnswer, HookConfigPart, InstalledAnswer, UserAnswer

_HOOKS = TypeAdapter(list[HookAnswer])
_INSTALLATIONS = TypeAdapter(list[InstalledAnswer])


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The App on somebody's account, with the rights that were agreed to there."""

    account: str
    permissions: Mapping[str, str]
    suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenApp:
    """The App as GitHub knows it."""

    slug: str
    html_url: str
    permissions: Mapping[str, str]
    events: frozenset[str]
    hook_url: str
    installations: tuple[Installed, ...]
    clock_ahead: timedelta  # ours before GitHub's; negative when it is behind


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHook:
    """A repository's webhook."""

    active: bool
    events: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenToken:
    """The token's owner and rights."""

    login: str | None  # None: a workflow's own token, of which GitHub does not tell
    scopes: frozenset[str] | None  # of a classic token; of others GitHub does not tell
    clock_ahead: timedelta


def seen_app(access: AppAccess, now: Callable[[], datetime]) -> SeenApp:
    """Return the App, its hook and where it is installed (the first hundred).

    Raises:
        ForgeError: GitHub does not answer, or does not know the App or its key.

    """
    headers, document = access.as_app("GET", "/app", None)
    ahead = _ahead(headers, now())
    app = AppAnswer.model_validate(document)
    _, hook = access.as_app("GET", "/app/hook/config", None)
    asked = {"per_page": str(PAGE_SIZE)}
    _, installations = access.as_app("GET", "/app/installations", None, asked)
    return SeenApp(
        slug=app.slug,
        html_url=app.html_url,
        permissions=app.permissions,
        events=frozenset(app.events),
        hook_url=HookConfigPart.model_validate(hook).url,
        installations=tuple(
            Installed(
                account="?" if each.account is None else each.account.login,
                permissions=each.permissions,
                suspended=each.suspended_at is not None,
            )
            for each in _INSTALLATIONS.validate_python(installations)
        ),
        clock_ahead=ahead,
    )


def seen_token(access: TokenAccess, now: Callable[[], datetime]) -> SeenToken:
    """Return whose token it is.

    Raises:
        GithubException: GitHub does not know the token.

    """
    path = "/rate_limit" if access.writes_checks else "/user"
    headers, document = access.any_client().requester.requestJsonAndCheck("GET", path)
    login = None if access.writes_checks else UserAnswer.model_validate(document).login
    return SeenToken(login=login, scopes=_scopes(headers), clock_ahead=_ahead(headers, now()))


def seen_hook(access: TokenAccess, retries: Retries, name: RepoName, url: str) -> SeenHook | None:
    """Return the repository's webhook that leads to `url`, None if it has none.

    Raises:
        ForgeRefused: the token's owner does not administer the repository.
        ForgeUnavailable: try again later.

    """
    path = f"/repos/{name}/hooks"

    def attempt(_number: int) -> list[HookAnswer]:
        asked = {"per_page": str(PAGE_SIZE)}
        requester = access.any_client().requester
        _, answer = requester.requestJsonAndCheck("GET", path, parameters=asked)
        return _HOOKS.validate_python(answer)

    for hook in retries.call(f"GET {path}", attempt, right=READ_HOOKS):
        if hook.config.url == url:
            return SeenHook(active=hook.active, events=frozenset(hook.events))
    return None


def _scopes(headers: Mapping[str, Any]) -> frozenset[str] | None:
    """Return what `X-OAuth-Scopes` lists, which comes with classic tokens only.

    https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
    """
    told = headers.get("x-oauth-scopes")
    if told is None:
        return None
    return frozenset(scope.strip() for scope in str(told).split(",") if scope.strip())


def _ahead(headers: Mapping[str, Any], now: datetime) -> timedelta:
    """Return how far our clock is before the one of an answer's `Date`, to the second."""
    told = str(headers.get("date", ""))
    try:
        return now - parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return timedelta()
