"""Settings -> the embedded platform's two processes."""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from bot.bootstrap import platform_file
from bot.bootstrap.places import platform_dir
from bot.settings import Settings
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.setup import register_token


def serve_api(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Answer the control API until SIGTERM."""
    from bot.subhosting.control import serve_api as serve  # noqa: PLC0415 - Flask, not in the host

    config = platform_config(settings)
    if settings.target_token is not None:
        register_token(config, settings.target_token.get_secret_value(), "previewbot up")
    serve(config, listener, ready)


def serve_host(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Route previews and run their instances until SIGTERM."""
    from bot.subhosting.host.main import run  # noqa: PLC0415 - uvloop, not in the API
    from bot.subhosting.setup import prepare  # noqa: PLC0415 - the same

    config = platform_config(settings)
    prepare(config)
    run(config, listener, ready)


def platform_config(settings: Settings) -> SubhostingConfig:
    """Return what the platform is told; previews answer below `settings.previews_url`.

    Raises:
        ConfigurationProblem: something in the operator's file is wrong.

    """
    previews = urlsplit((settings.previews_url or "http://*.localhost:8081").replace("*.", "x."))
    base_domain = (previews.hostname or "x.localhost").removeprefix("x.")
    default_port = 443 if previews.scheme == "https" else 80
    config = SubhostingConfig(
        data_dir=platform_dir(settings),
        api_url=settings.target_url or f"http://127.0.0.1:{settings.api_port}",
        base_domain=base_domain,
        previews_port=previews.port or default_port,
        previews_scheme=previews.scheme,
        organization_id=settings.target_organization,
        min_isolation=settings.min_isolation,
        routers=settings.routers,
        trusted_proxies=tuple(filter(None, settings.trusted_proxies.split(","))),
        log_url=_log_url(settings),
    )
    return platform_file.configured(config, settings.platform_file)


def _log_url(settings: Settings) -> str | None:
    """Return the bot's page of an app's log, which a browser can open; None without the bot."""
    if settings.public_url is None:
        return None
    return f"{settings.public_url.rstrip('/')}/logs/{{deployment}}"
