"""Give a repository a webhook of its own, where there is a token instead of an App."""

import secrets
from dataclasses import dataclass, field

from bot.adapters.github.auth import TokenAccess
from bot.adapters.github.clients import Clients
from bot.adapters.github.limits import Retries
from bot.adapters.github.webhooks import Webhooks
from bot.adapters.storage.connect import engines, prepare
from bot.adapters.storage.hook_secrets import SqlHookSecrets
from bot.bootstrap.keys import vault_from
from bot.bootstrap.places import database_url, webhook_url
from bot.core.decide.github_app import events, permissions
from bot.core.model.errors import ConfigurationProblem, ForgeRefused
from bot.core.model.ids import RepoName, RepositoryId, repo_name
from bot.kernel.clock import SystemClock
from bot.settings import Settings

# Re-runs and buttons of checks come to Apps alone.
HEARD = events(permissions((), removes_environments=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedRepository:
    """What was done, and what is left to do by hand."""

    name: str
    url: str
    events: tuple[str, ...]
    secret: str = field(repr=False)
    refused: str | None = None  # why GitHub made no webhook; None: it did


def connect_repository(settings: Settings, name: str) -> ConnectedRepository:
    """Keep a new secret for the repository, and make or renew its webhook on GitHub.

    The secret is kept even where the token may not make webhooks, for one that is made by hand.

    Raises:
        ConfigurationProblem: there is no token, or `name` is none.
        ForgeError: the repository could not be asked for.

    """
    known = repo_name(name)
    if known is None:
        raise ConfigurationProblem("OWNER/NAME", f"{name!r} is not of the form owner/name")
    if settings.github_token is None or settings.github_app_id is not None:
        raise ConfigurationProblem(
            "PREVIEWBOT_GITHUB_TOKEN",
            "is what connects repositories one by one; an App is installed on them instead",
        )
    if settings.public_url is None:
        raise ConfigurationProblem(
            "PREVIEWBOT_PUBLIC_URL", "is needed: GitHub sends deliveries to an address below it"
        )
    token = settings.github_token.get_secret_value()
    access = TokenAccess(token, Clients(settings.github_api_url))
    webhooks = Webhooks(access, Retries(SystemClock()))
    repository = webhooks.repository(known)
    secret, url = secrets.token_hex(32), webhook_url(settings)
    _keep(settings, repository.id, repository.name, secret)
    refused = None
    try:
        webhooks.connect(repository.name, url, secret, HEARD)
    except ForgeRefused as refusal:
        refused = str(refusal)
    return ConnectedRepository(
        name=repository.name, url=url, events=HEARD, secret=secret, refused=refused
    )


def _keep(settings: Settings, number: int, name: str, secret: str) -> None:
    url = database_url(settings)
    prepare(url)
    opened = engines(url)
    try:
        kept = SqlHookSecrets(opened, vault_from(settings))
        kept.put(RepositoryId(number), RepoName(name), secret)
    finally:
        opened.dispose()
