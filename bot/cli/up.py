"""`previewbot up`: everything on one machine, in one data directory, with nothing to set up."""

import argparse
import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bot import logs
from bot.bootstrap import platform_file
from bot.bootstrap.places import checked_git_url, platform_dir
from bot.cli.credentials import Credentials, load_or_create, write_address
from bot.cli.listen import bound
from bot.cli.start import start_settings
from bot.cli.supervisor import ChildPlan, Supervisor
from bot.core.model.errors import BotError, ConfigurationProblem
from bot.kernel.processes import die_with_parent
from bot.kernel.runtime_dir import runtime_directory
from bot.settings import LOOPBACK, Settings
from bot.target_settings import TargetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """The listening sockets. We hold them, so that a child's restart refuses no connection."""

    web: socket.socket
    previews: socket.socket
    api: socket.socket


def run(words: Sequence[str]) -> int:
    """Start everything and stay until a signal."""
    options = _parser().parse_args(words)
    if options.parent_pid is not None:
        die_with_parent(options.parent_pid)
    try:
        settings = start_settings(
            data_dir=options.data, port=options.port, preview_port=options.preview_port
        )
        return _up(settings, as_json=options.json)
    except BotError as error:
        print(f"previewbot: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot up", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    parser.add_argument("--port", type=int, help="receiver and pages; 0 takes any free port")
    parser.add_argument("--preview-port", type=int, help="previews; 0 takes any free port")
    parser.add_argument("--parent-pid", type=int, help="end when this process does")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    return parser


def _up(given: Settings, *, as_json: bool) -> int:
    if given.target is TargetKind.EMBEDDED:
        platform_file.check(given.platform_file)
    checked_git_url(given)  # the worker does so too, but falls four times before we say why
    # Records, mirrors and previews' files are other people's source: whatever the directory's own
    # mode, what we and our children write in it is for this user alone.
    os.umask(0o077)
    data_dir = given.data_dir.expanduser().resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs.configure("up", given.secrets())
    with _alone(data_dir):
        credentials = load_or_create(data_dir)
        sockets = _listen(given)
        settings = _completed(given, data_dir, sockets, credentials)
        connected = given.uses_github or _made_an_app(settings)
        webhook_url = f"http://127.0.0.1:{settings.port}/webhooks/github"
        write_address(data_dir, webhook_url, None if connected else _hook_secret(given))
        address = _address(settings, credentials, webhook_url)
        address["setup_url"] = None if connected else _setup_url(settings)
        log_dir = data_dir / "logs"
        log_dir.mkdir(mode=0o700, exist_ok=True)
        supervisor = Supervisor(_plans(settings, sockets), log_dir)
        try:
            supervisor.run(lambda: _announce(address, as_json=as_json))
        finally:
            for directory in (data_dir, platform_dir(settings)):
                shutil.rmtree(runtime_directory(directory), ignore_errors=True)
    return 0


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for as long as the block runs.

    Raises:
        ConfigurationProblem: another `previewbot up` holds it.

    """
    with (data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationProblem(
                "PREVIEWBOT_DATA_DIR",
                f"another `previewbot up` runs on {data_dir}; stop it or choose another directory",
            ) from None
        yield


def _listen(settings: Settings) -> Sockets:
    return Sockets(
        web=bound(settings.bind, settings.port, "PREVIEWBOT_PORT"),
        previews=bound(
            settings.bind,
            settings.preview_port,
            "PREVIEWBOT_PREVIEW_PORT",
            shared=settings.routers > 1,
        ),
        api=bound("127.0.0.1", settings.api_port, "PREVIEWBOT_API_PORT"),
    )


def _completed(
    given: Settings, data_dir: Path, sockets: Sockets, credentials: Credentials
) -> Settings:
    """Fill in what nobody set, from what we made up and the ports that we got."""
    port, preview_port, api_port = (
        listener.getsockname()[1] for listener in (sockets.web, sockets.previews, sockets.api)
    )
    made = {
        "data_dir": data_dir,
        "port": port,
        "preview_port": preview_port,
        "api_port": api_port,
        "public_url": given.public_url or f"http://127.0.0.1:{port}",
        "previews_url": given.previews_url or f"http://*.localhost:{preview_port}",
        "github_webhook_secret": given.github_webhook_secret or credentials.webhook_secret,
        # Good until the next start, and closed by itself once there is an App.
        "setup_token": given.setup_token or secrets.token_urlsafe(24),
    }
    if given.target is TargetKind.EMBEDDED:
        made |= {
            # Set when something stands in front of the API: a proxy, its public name.
            "target_url": _proxy_of_ours(given) or f"http://127.0.0.1:{api_port}",
            "target_token": credentials.api_token,
            "target_organization": credentials.organization,
        }
    return given.with_values(**made)


def _proxy_of_ours(given: Settings) -> str | None:
    """Return the address that the operator gave for our own API: a proxy in front of it.

    Raises:
        ConfigurationProblem: it is on another machine; our platform's token would go there.

    """
    if given.target_url is not None and urlsplit(given.target_url).hostname not in LOOPBACK:
        raise ConfigurationProblem(
            "PREVIEWBOT_TARGET_URL",
            "names another machine, but PREVIEWBOT_TARGET=embedded is this one; unset it, or set "
            "PREVIEWBOT_TARGET=subhosting-v1",
        )
    return given.target_url


def _hook_secret(given: Settings) -> str | None:
    """Return the operator's secret if hooks of local repositories must sign with it."""
    if given.uses_github or given.github_webhook_secret is None:
        return None
    return given.github_webhook_secret.get_secret_value()


def _made_an_app(settings: Settings) -> bool:
    """Tell whether /setup was gone through before."""
    # Here, because the first start has nothing to look into, and SQLAlchemy costs 0.2 s.
    from bot.bootstrap.made_app import has_made_app  # noqa: PLC0415

    return has_made_app(settings)


def _setup_url(settings: Settings) -> str | None:
    """Return the link that opens the set-up of a GitHub App."""
    token = settings.setup_token
    if token is None:
        return None
    return f"{settings.public_url}/setup?{urlencode({'token': token.get_secret_value()})}"


def _address(
    settings: Settings, credentials: Credentials, webhook_url: str
) -> dict[str, str | None]:
    """Return what `--json` prints; the keys are part of the interface."""
    secret = settings.github_webhook_secret
    return {
        "webhook_url": webhook_url,
        "dashboard_url": f"{settings.public_url}/",
        "api_url": settings.target_url,
        "previews_url": settings.previews_url,
        "organization": settings.target_organization,
        "token": credentials.api_token,
        "webhook_secret": None if secret is None else secret.get_secret_value(),
    }


def _plans(settings: Settings, sockets: Sockets) -> list[ChildPlan]:
    """Return the children in the order of their start; the slowest to be ready comes first."""
    bot = [
        ChildPlan(name="worker", arguments=["worker"], settings=settings),
        ChildPlan(name="web", arguments=["web"], settings=settings, listener=sockets.web),
    ]
    if settings.target is not TargetKind.EMBEDDED:
        return bot
    # The platform is another product: it gets its own token and no secret of the bot's,
    # only the address to which its error pages send for an app's log.
    theirs = settings.for_platform().with_values(public_url=settings.public_url)
    return [
        *bot,
        ChildPlan(
            name="subhosting-api",
            arguments=["subhosting", "api"],
            settings=theirs,
            listener=sockets.api,
        ),
        ChildPlan(
            name="subhosting-host",
            arguments=["subhosting", "host"],
            settings=theirs,
            listener=sockets.previews,
        ),
    ]


def _announce(address: dict[str, str | None], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(address), flush=True)
        return
    print(f"Pages      {address['dashboard_url']}")
    print(f"Webhooks   {address['webhook_url']}")
    print(f"Previews   {address['previews_url']}")
    print(f"API        {address['api_url']}", flush=True)
    if address["setup_url"] is not None:
        print(f"GitHub     {address['setup_url']}  (makes an App, once)", flush=True)
