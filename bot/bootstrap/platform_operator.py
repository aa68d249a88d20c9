"""What the embedded platform's operator does, from settings.

Apart from its processes, which need none of the libraries behind this.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.bootstrap.platform import platform_config
from bot.core.model.errors import ConfigurationProblem
from bot.settings import Settings
from bot.subhosting import operator
from bot.subhosting.errors import SubhostingError
from bot.subhosting.operator import Started
from bot.subhosting.setup import create_token


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
