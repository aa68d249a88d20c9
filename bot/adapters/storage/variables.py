"""Variables on SQL: values sealed, everything else as it is."""

import sqlalchemy as sa

from bot.adapters.storage.connect import Engines
from bot.adapters.storage.tables import deployments, previews, variables
from bot.adapters.storage.vault import Vault
from bot.core.model.environment import Context
from bot.core.model.ids import AppName, RepositoryId
from bot.core.model.variables import KeptVariable, OpenVariable, Scope
from bot.kernel.clock import Clock
from bot.kernel.ids import Ids

# No app is called that.
_EVERY_APP = "*"


class SqlVariables:
    """Implements `bot.ports.variables.Variables`."""

    def __init__(self, engines: Engines, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._read = engines.read
        self._write = engines.write
        self._vault = vault
        self._clock = clock
        self._ids = ids

    def put(self, repository: RepositoryId, scope: Scope, key: str, value: str) -> KeptVariable:
        """Keep `value`, in place of what was kept there before."""
        kept = KeptVariable(
            scope=scope, key=key, version=self._ids.new(), set_at=self._clock.now()
        )
        with self._write.begin() as connection:
            connection.execute(sa.delete(variables).where(_is(repository, scope, key)))
            connection.execute(
                sa.insert(variables).values(
                    repository_id=repository,
                    app=_EVERY_APP if scope.app is None else scope.app,
                    context=str(scope.context),
                    branches=scope.branches or "",
                    key=key,
                    sealed=self._vault.seal(value),
                    version=kept.version,
                    set_at=kept.set_at,
                )
            )
        return kept

    def remove(self, repository: RepositoryId, scope: Scope, key: str) -> bool:
        """Forget a variable; False when there was none."""
        with self._write.begin() as connection:
            gone = connection.execute(sa.delete(variables).where(_is(repository, scope, key)))
        return bool(gone.rowcount)

    def listed(self, repository: RepositoryId) -> list[KeptVariable]:
        """Return what is kept for a repository, by key and scope, without the values."""
        return [_kept(row) for row in self._rows(repository)]

    def opened(self, repository: RepositoryId) -> list[OpenVariable]:
        """Return the same with the values.

        Raises:
            ConfigurationProblem: they were sealed with a key that is not there any more.

        """
        return [
            OpenVariable(kept=_kept(row), value=self._vault.open(row.sealed))
            for row in self._rows(repository)
        ]

    def seal_anew(self) -> int:
        """Seal every value of every repository with the newest key; return how many there are.

        Raises:
            ConfigurationProblem: one was sealed with a key that is not there any more.

        """
        with self._write.begin() as connection:
            rows = connection.execute(sa.select(variables)).all()
            for row in rows:
                # By its version, which a value that was set meanwhile does not have.
                mine = variables.c.version == row.version
                sealed = self._vault.seal(self._vault.open(row.sealed))
                connection.execute(sa.update(variables).where(mine).values(sealed=sealed))
        return len(rows)

    def _rows(self, repository: RepositoryId) -> list[sa.Row[tuple[object, ...]]]:
        query = sa.select(variables).where(variables.c.repository_id == repository)
        ordered = query.order_by(
            variables.c.key, variables.c.context, variables.c.branches, variables.c.app
        )
        with self._read.connect() as connection:
            return list(connection.execute(ordered).all())


def repository_named(engine: sa.Engine, name: str) -> RepositoryId | None:
    """Return the id of the repository that was last deployed under `name`, in any letter case."""
    table = previews.join(deployments, previews.c.id == deployments.c.preview_id)
    query = (
        sa.select(previews.c.repository_id)
        .select_from(table)
        .where(sa.func.lower(previews.c.repository_name) == name.lower())
        .order_by(deployments.c.number.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        found = connection.scalar(query)
    return None if found is None else RepositoryId(found)


def _is(repository: RepositoryId, scope: Scope, key: str) -> sa.ColumnElement[bool]:
    columns = variables.c
    return sa.and_(
        columns.repository_id == repository,
        columns.app == (_EVERY_APP if scope.app is None else scope.app),
        columns.context == str(scope.context),
        columns.branches == (scope.branches or ""),
        columns.key == key,
    )


def _kept(row: sa.Row[tuple[object, ...]]) -> KeptVariable:
    return KeptVariable(
        scope=Scope(
            context=Context(row.context),
            app=None if row.app == _EVERY_APP else AppName(row.app),
            branches=row.branches or None,
        ),
        key=row.key,
        version=row.version,
        set_at=row.set_at,
    )
