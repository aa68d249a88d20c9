"""What `previewbot doctor` says of GitHub with a token: its rights, and repositories' hooks."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from bot.adapters.github.auth import TokenAccess
from bot.adapters.github.checkup import SeenToken, seen_hook, seen_token
from bot.adapters.github.clients import Clients
from bot.adapters.github.errors import TROUBLES, trouble_of
from bot.adapters.github.hooks import RepositoryHooks
from bot.adapters.github.limits import Retries
from bot.bootstrap.connecting import HEARD
from bot.bootstrap.doctor_records import recorded
from bot.bootstrap.findings import Check, lacking, ok, problem
from bot.bootstrap.places import webhook_url
from bot.core.decide.missed import to_repeat
from bot.core.model.errors import ForgeError, ForgeRefused
from bot.core.model.ids import Repository
from bot.kernel.clock import Clock
from bot.settings import Settings

# Each costs two requests, and whoever waits is a person.
LOOKED_AT = 50

LOOKED_BACK = timedelta(days=1)

# A subscription to everything.
_ALL_EVENTS = "*"

_WITHOUT_CHECKS = lacking(
    "checks",
    "a token may write commit statuses only",
    "make a GitHub App: unset the token and open the link that `previewbot up` prints",
)


def look(
    settings: Settings, clients: Clients, clock: Clock
) -> tuple[SeenToken | None, list[Check]]:
    """Return whose token it is, None where GitHub does not take it, and what was found."""
    token = settings.github_token
    access = TokenAccess("" if token is None else token.get_secret_value(), clients)
    try:
        seen = seen_token(access, clock.now)
    except TROUBLES as error:
        trouble = trouble_of(error, clock.now())
        fix = "make a new PREVIEWBOT_GITHUB_TOKEN, or check PREVIEWBOT_GITHUB_API_URL"
        return None, [problem("github", str(trouble), fix)]
    whose = "a workflow's own token" if seen.login is None else f"with the token of {seen.login}"
    github = ok("github", f"{settings.github_api_url} {whose}")
    if access.writes_checks:
        return seen, [github]  # it lives as long as its workflow, and nothing is sent to it
    return seen, [
        github,
        _WITHOUT_CHECKS,
        _rights(seen),
        *_webhooks(settings, access, clock),
    ]


def _rights(seen: SeenToken) -> Check:
    """Tell of the scopes of a classic token; GitHub names them on every answer, and no others.

    https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
    """
    fix = "give it the scope `repo` under Settings -> Developer settings -> Personal access tokens"
    match seen.scopes:
        case None:
            told = "GitHub tells none of a fine-grained token; its repositories are tried below"
            return ok("permissions", told)
        case scopes if "repo" in scopes:
            return ok("permissions", "repo")
        case scopes if "public_repo" in scopes:
            return lacking("permissions", "public_repo: private repositories are hidden", fix)
        case scopes:
            given = ", ".join(sorted(scopes)) or "no scope at all"
            return problem("permissions", f"{given}: it may write nothing", fix)


def _webhooks(settings: Settings, access: TokenAccess, clock: Clock) -> list[Check]:
    connected = _connected(settings)
    if not connected:
        told = "no repository is connected by a webhook of its own"
        return [lacking("webhook", told, "run `previewbot repository connect OWNER/NAME`")]
    url, retries = webhook_url(settings), Retries(clock)
    looked_at = connected[:LOOKED_AT]
    found = [
        check
        for repository in looked_at
        for check in _webhook(repository, url, access, retries, clock)
    ]
    if len(looked_at) < len(connected):
        left = f"{len(connected) - len(looked_at)} of {len(connected)} repositories not looked at"
        found.append(lacking("webhook", left, f"look at the others by hand: {url}"))
    names = ", ".join(each.name for each in looked_at[:5])
    return found or [ok("webhook", f"{len(looked_at)} lead to {url}: {names}")]


def _webhook(
    repository: Repository, url: str, access: TokenAccess, retries: Retries, clock: Clock
) -> list[Check]:
    """Return what is wrong with one repository's webhook: nothing, if it is as it should be."""
    name = repository.name
    again = f"run `previewbot repository connect {name}`"
    page = f"the repository's Settings -> Webhooks -> {url}"
    try:
        hook = seen_hook(access, retries, name, url)
        hooks = RepositoryHooks(access, retries, repositories=lambda: [repository], url=url)
        attempts = [] if hook is None else list(hooks.attempts(clock.now() - LOOKED_BACK))
    except ForgeRefused as refusal:
        fix = f"use a token of an administrator of {name}, or look at {page} by hand"
        return [lacking("webhook", str(refusal), fix)]
    except ForgeError as error:
        return [lacking("webhook", str(error), "GitHub is away; look again later")]
    if hook is None:
        return [problem("webhook", f"{name} sends nothing to {url}", again)]
    if not hook.active:
        return [problem("webhook", f"{name}: it is switched off", f"switch on Active at {page}")]
    missing = _unheard(hook.events)
    found = []
    if missing:
        told = f"{name} does not send: {', '.join(missing)}"
        found.append(problem("events", told, f"{again}, or choose them at {page}"))
    if lost := len(to_repeat(attempts)):
        told = f"{name}: {lost} of the last day never arrived"
        fix = (
            f"the bot asks for them again while it runs; {page} says why, under Recent Deliveries"
        )
        found.append(lacking("deliveries", told, fix))
    return found


def _unheard(subscribed: Collection[str]) -> list[str]:
    return [] if _ALL_EVENTS in subscribed else sorted(set(HEARD) - set(subscribed))


def _connected(settings: Settings) -> Sequence[Repository]:
    """Return the repositories with a webhook of their own; none where there are no records."""
    from bot.adapters.storage.hook_secrets import connected  # noqa: PLC0415 - as in `doctor_records`

    return recorded(settings, connected) or []
