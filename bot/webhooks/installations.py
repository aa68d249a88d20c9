"""`repository`, `installation` and `installation_repositories`: what the bot is given to read."""

from bot.core.model.decisions import Ignored
from bot.core.model.events import (
    AppUninstalled,
    Event,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
    RepositoryTransferred,
)
from bot.core.model.ids import RepositoryId
from bot.webhooks.reading import not_handled, read, repository_of
from bot.wire.github_events import (
    InstallationPayload,
    InstallationRepositoriesPayload,
    RepositoryPayload,
)

# What the bot does not need to know: it starts with what is pushed.
_FIRST_PUSH = "; the next push or pull request makes the first preview"


def repository(payload: object) -> Event | Ignored:
    """Return what became of a repository."""
    found = read(RepositoryPayload, payload)
    about = repository_of(found.repository, found.installation)
    match found.action:
        case "renamed":
            return RepositoryRenamed(repository=about)
        case "transferred":
            return RepositoryTransferred(repository=about)
        case "deleted":
            return RepositoryDeleted(repository=about)
        case "privatized":
            return RepositoryPrivatized(repository=about)
        case other:
            return not_handled(f"repository.{other}")


def installation(payload: object) -> Event | Ignored:
    """Return that the App was uninstalled."""
    found = read(InstallationPayload, payload)
    if found.action == "deleted":
        return AppUninstalled(installation=found.installation.id)
    hint = _FIRST_PUSH if found.action in {"created", "unsuspend"} else ""
    return not_handled(f"installation.{found.action}{hint}")


def installation_repositories(payload: object) -> Event | Ignored:
    """Return which repositories the App may not read any more."""
    found = read(InstallationRepositoriesPayload, payload)
    if not found.repositories_removed:
        return not_handled(f"installation_repositories.{found.action}{_FIRST_PUSH}")
    return RepositoriesRemoved(
        installation=found.installation.id,
        repositories=tuple(RepositoryId(part.id) for part in found.repositories_removed),
    )
