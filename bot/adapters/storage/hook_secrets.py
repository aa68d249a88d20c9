"""Secrets of repositories' own webhooks, sealed."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from bot.adapters.storage.connect import Engines
from bot.adapters.storage.tables import hook_secrets
from bot.adapters.storage.vault import Vault
from bot.core.model.ids import Branch, RepoName, Repository, RepositoryId


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSecret:
    """The secret of one repository's webhook."""

    repository: RepositoryId
    name: str  # in lower case
    secret: str = field(repr=False)


class SqlHookSecrets:
    """One secret for each repository that has a webhook of its own."""

    def __init__(self, engines: Engines, vault: Vault) -> None:
        self._engines = engines
        self._read = engines.read
        self._write = engines.write
        self._vault = vault

    def put(self, repository: RepositoryId, name: RepoName, secret: str) -> None:
        """Keep the secret in place of what was kept for the repository, or under its name."""
        columns, lowered = hook_secrets.c, name.lower()
        same = sa.or_(columns.repository_id == repository, columns.name == lowered)
        with self._write.begin() as connection:
            connection.execute(sa.delete(hook_secrets).where(same))
            connection.execute(
                sa.insert(hook_secrets).values(
                    repository_id=repository, name=lowered, sealed=self._vault.seal(secret)
                )
            )

    def repositories(self) -> list[Repository]:
        """Return the repositories that have a webhook of their own, by name."""
        return connected(self._engines)

    def about(self, repository: int | None, name: str | None) -> list[HookSecret]:
        """Return what is kept for this id or under this name: of one repository, two or none.

        Raises:
            ConfigurationProblem: the vault's key does not open it.

        """
        columns = hook_secrets.c
        same = sa.or_(columns.repository_id == repository, columns.name == (name or "").lower())
        with self._read.connect() as connection:
            rows = connection.execute(sa.select(hook_secrets).where(same)).all()
        return [
            HookSecret(
                repository=RepositoryId(row.repository_id),
                name=row.name,
                secret=self._vault.open(row.sealed),
            )
            for row in rows
        ]


def connected(engines: Engines) -> list[Repository]:
    """Return the repositories that have a webhook of their own, by name, opening no secret."""
    query = sa.select(hook_secrets.c.repository_id, hook_secrets.c.name)
    with engines.read.connect() as connection:
        rows = connection.execute(query.order_by(hook_secrets.c.name)).all()
    return [
        Repository(
            id=RepositoryId(row.repository_id),
            name=RepoName(row.name),
            default_branch=Branch(""),
        )
        for row in rows
    ]
