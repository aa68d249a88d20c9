"""The safe of an installation's variables, for the worker and for `previewbot env`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.adapters.local.repositories import Repositories
from bot.adapters.storage.connect import Engines, engines
from bot.adapters.storage.variables import SqlVariables, repository_named
from bot.bootstrap.keys import vault_from
from bot.bootstrap.places import database_url
from bot.bootstrap.schema import prepare_database
from bot.core.model.errors import ConfigurationProblem, RecordNotFound
from bot.core.model.ids import RepositoryId, repo_name
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """What `previewbot env` works with."""

    variables: SqlVariables
    repository: RepositoryId


@contextmanager
def open_safe(settings: Settings, name: str, number: int | None = None) -> Iterator[Safe]:
    """Open the safe for the repository `name`, whose id is `number` if the caller knows it.

    Raises:
        ConfigurationProblem: there is no such repository, or no key.

    """
    prepare_database(settings)
    opened = engines(database_url(settings))
    try:
        yield Safe(
            variables=variables_from(settings, opened),
            repository=_found(settings, opened, name, number),
        )
    finally:
        opened.dispose()


def variables_from(settings: Settings, opened: Engines) -> SqlVariables:
    """Return the safe.

    Raises:
        ConfigurationProblem: the encryption key is none.

    """
    return SqlVariables(opened, vault_from(settings), SystemClock(), RandomIds())


def _found(settings: Settings, opened: Engines, name: str, number: int | None) -> RepositoryId:
    if repo_name(name) is None:
        raise ConfigurationProblem("REPOSITORY", f"{name!r} is not of the form owner/name")
    if number is not None:
        return RepositoryId(number)
    known = repository_named(opened.read, name)
    if known is not None:
        return known
    try:
        return Repositories(settings.data_dir.expanduser()).get(name).repository.id
    except RecordNotFound:
        raise ConfigurationProblem(
            "REPOSITORY",
            f"nothing of {name} was deployed here yet; push to it first, or add --repository-id"
            f" with what `gh api repos/{name} --jq .id` prints",
        ) from None


def seal_anew(settings: Settings) -> int:
    """Seal every value with the newest key, so that older ones can go; return how many.

    Raises:
        ConfigurationProblem: one was sealed with a key that is not there any more.

    """
    prepare_database(settings)
    opened = engines(database_url(settings))
    try:
        return variables_from(settings, opened).seal_anew()
    finally:
        opened.dispose()
