"""What `previewbot doctor` says of GitHub: login, rights, events, webhook, clock."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from bot.adapters.github.auth import AppAccess
from bot.adapters.github.checkup import SeenApp, seen_app
from bot.adapters.github.clients import Clients
from bot.adapters.github.hooks import AppHook
from bot.adapters.github.limits import Retries
from bot.bootstrap import doctor_token
from bot.bootstrap.findings import Check, lacking, ok, problem
from bot.bootstrap.github import private_key
from bot.bootstrap.places import webhook_url
from bot.core.decide.github_app import events, permissions
from bot.core.decide.missed import to_repeat
from bot.core.model.apps import AskedPermission
from bot.core.model.errors import BotError
from bot.core.render.deployments import is_of_one_preview
from bot.kernel.clock import Clock, SystemClock
from bot.settings import LOOPBACK, Settings

# A JWT lives ten minutes, and ours are dated a minute back.
CLOCK_MAY_DIFFER = timedelta(seconds=45)

LOOKED_BACK = timedelta(days=1)

_LEVELS = ("read", "write", "admin")
_TIMEOUT_S = 10.0


def look(settings: Settings) -> Sequence[Check]:
    """Ask GitHub, and ourselves by our public address; nothing is changed anywhere."""
    clock = SystemClock()
    clients = Clients(settings.github_api_url)
    if settings.github_app_id is None:
        return [*_with_token(settings, clients, clock), *_reachable(settings)]
    try:
        access = AppAccess(
            settings.github_app_id,
            private_key(settings),
            clients=clients,
            retries=Retries(clock),
            clock=clock,
        )
        app = seen_app(access, clock.now)
        missed = to_repeat(AppHook(access).attempts(clock.now() - LOOKED_BACK))
    except BotError as error:
        fix = (
            "compare PREVIEWBOT_GITHUB_APP_ID, the private key and PREVIEWBOT_GITHUB_API_URL with "
            "the App's page; set the clock; `previewbot setup --reset` begins anew"
        )
        return [problem("github", str(error), fix), *_reachable(settings)]
    asked = permissions(
        settings.shown_on, removes_environments=is_of_one_preview(settings.environment)
    )
    return [
        ok("github", f"{settings.github_api_url} as {app.slug}[bot]"),
        _clock_of(app.clock_ahead),
        *_permissions(app, asked),
        _events(app, asked),
        *_installations(app, asked),
        _hook(app, settings),
        *_reachable(settings),
        _deliveries(len(missed)),
    ]


def _with_token(settings: Settings, clients: Clients, clock: Clock) -> Sequence[Check]:
    seen, found = doctor_token.look(settings, clients, clock)
    if seen is None:
        return found
    github, *others = found
    return [github, _clock_of(seen.clock_ahead), *others]


def _clock_of(ahead: timedelta) -> Check:
    seconds = ahead.total_seconds()
    found = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} GitHub's"
    if abs(ahead) <= CLOCK_MAY_DIFFER:
        return ok("clock", found)
    return problem("clock", found, "set the clock: timedatectl set-ntp true")


def _permissions(app: SeenApp, asked: Sequence[AskedPermission]) -> Sequence[Check]:
    missing = _missing(app.permissions, asked)
    if not missing:
        return [ok("permissions", "all that is switched on needs")]
    page = f"{app.html_url}, App settings -> Permissions & events"
    return [
        problem(
            "permissions",
            f"missing: {', '.join(missing)}",
            f"give them to the App ({page}), then agree to them where it is installed",
        )
    ]


def _events(app: SeenApp, asked: Sequence[AskedPermission]) -> Check:
    missing = sorted(set(events(asked)) - app.events)
    if not missing:
        return ok("events", "all that are listened to")
    return problem(
        "events",
        f"not subscribed to: {', '.join(missing)}",
        "subscribe to them on the App's page, under Permissions & events",
    )


def _installations(app: SeenApp, asked: Sequence[AskedPermission]) -> Sequence[Check]:
    if not app.installations:
        fix = f"install it: {app.html_url}/installations/new"
        return [problem("installations", "the App is installed nowhere", fix)]
    found: list[Check] = []
    for each in app.installations:
        missing = _missing(each.permissions, asked)
        if each.suspended:
            fix = "unsuspend it in that account's settings, under GitHub Apps"
            found.append(lacking("installations", f"suspended on {each.account}", fix))
        elif missing and not _missing(app.permissions, asked):
            fix = f"an owner of {each.account} agrees to the new rights under GitHub Apps"
            words = f"{each.account} has not agreed to: {', '.join(missing)}"
            found.append(problem("installations", words, fix))
    names = ", ".join(each.account for each in app.installations[:5])
    return found or [ok("installations", names)]


def _missing(given: Mapping[str, str], asked: Sequence[AskedPermission]) -> list[str]:
    return [
        f"{each.name}: {each.level}"
        for each in asked
        if each.name not in given or _LEVELS.index(given[each.name]) < _LEVELS.index(each.level)
    ]


def _hook(app: SeenApp, settings: Settings) -> Check:
    ours = webhook_url(settings)
    if app.hook_url == ours:
        return ok("webhook", ours)
    found = f"GitHub sends to {app.hook_url or 'nowhere'}, we listen at {ours}"
    return problem("webhook", found, "change one: the App's webhook URL or PREVIEWBOT_PUBLIC_URL")


def _reachable(settings: Settings) -> Sequence[Check]:
    """Ask for our own health by the address that GitHub uses."""
    public = settings.public_url
    local = public is None or urlsplit(public).hostname in LOOPBACK
    if public is None or (local and urlsplit(settings.github_api_url).hostname not in LOOPBACK):
        fix = "set PREVIEWBOT_PUBLIC_URL to an address that GitHub can reach"
        return [problem("reachability", f"{public or 'no public address'} is local", fix)]
    address = f"{public.rstrip('/')}/healthz"
    try:
        answer = httpx.get(address, timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        found = f"{address}: {type(error).__name__}"
        fix = "start `previewbot up` and the proxy; from inside some networks it cannot be tried"
        return [lacking("reachability", found, fix)]
    if answer.status_code == httpx.codes.OK and answer.text.strip() == '{"status":"ok"}':
        return [ok("reachability", address)]
    found = f"{address} answers {answer.status_code}, and not as we do"
    return [problem("reachability", found, "let the proxy lead this host to PREVIEWBOT_PORT")]


def _deliveries(missed: int) -> Check:
    if not missed:
        return ok("deliveries", "none of the last day was lost")
    return lacking(
        "deliveries",
        f"{missed} of the last day never arrived",
        "the bot asks for them again while it runs; the App's page says why, under Advanced",
    )
