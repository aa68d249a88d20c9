"""Settings -> the embedded platform: its two processes, and what its operator does."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from bot.bootstrap.places import platform_dir
from bot.core.model.errors import ConfigurationProblem
from bot.settings import Settings
from bot.subhosting import operator
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.errors import SubhostingError
from bot.subhosting.operator import Started
from bot.subhosting.setup import create_token, register_token


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


def start(settings: Settings) -> Started:
    """Make or update the platform's store, before its processes start."""
    return operator.start(platform_config(settings))


def create_access_token(settings: Settings, name: str) -> str:
    """Return a new access token of the API."""
    return create_token(platform_config(settings), name)


def access_tokens(settings: Settings) -> list[dict[str, str]]:
    """Return what may be shown of the access tokens."""
    return [
        {"id": each.id, "name": each.name, "created_at": each.created_at.isoformat()}
        for each in operator.list_tokens(platform_config(settings))
    ]


def revoke_access_token(settings: Settings, token_id: str) -> None:
    """Refuse an access token from now on.

    Raises:
        ConfigurationProblem: there is none with this id.

    """
    with _as_ours("ID"):
        operator.revoke_token(platform_config(settings), token_id)


def link(
    settings: Settings, project: str, repository_id: int, default_branch: str | None
) -> dict[str, str | int | None]:
    """Let a repository's workflows deploy to a project.

    Raises:
        ConfigurationProblem: there is no such project, or the number is none.

    """
    with _as_ours("PROJECT"):
        made = operator.link_repository(
            platform_config(settings), project, repository_id, default_branch
        )
    return {
        "project": made.project_id,
        "repository_id": made.repository_id,
        "default_branch": made.default_branch,
    }


def unlink(settings: Settings, project: str) -> bool:
    """Take a project's link away; False if it had none.

    Raises:
        ConfigurationProblem: there is no such project.

    """
    with _as_ours("PROJECT"):
        return operator.unlink_repository(platform_config(settings), project)


@contextmanager
def _as_ours(argument: str) -> Iterator[None]:
    """Turn the platform's refusals into our own."""
    try:
        yield
    except SubhostingError as error:
        raise ConfigurationProblem(argument, error.message) from error


def platform_config(settings: Settings) -> SubhostingConfig:
    """Return what the platform is told; previews answer below `settings.previews_url`."""
    previews = urlsplit((settings.previews_url or "http://*.localhost:8081").replace("*.", "x."))
    base_domain = (previews.hostname or "x.localhost").removeprefix("x.")
    default_port = 443 if previews.scheme == "https" else 80
    return SubhostingConfig(
        data_dir=platform_dir(settings),
        api_url=settings.target_url or f"http://127.0.0.1:{settings.api_port}",
        base_domain=base_domain,
        previews_port=previews.port or default_port,
        previews_scheme=previews.scheme,
        organization_id=settings.target_organization,
    )
