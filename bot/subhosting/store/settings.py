"""Rows of what v1 sets for one deployment: how it runs, beyond its files and variables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.subhosting.store import databases
from bot.subhosting.store.database_tables import deployment_settings
from bot.subhosting.store.records import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Wishes of one deployment; the defaults are those of a deployment that has none.

    `import_map` and `lock_file` are paths of assets or URLs, the empty string for none at all, and
    None for what deno.json says. `compiler_options` None leaves deno.json's, `{}` is Deno's
    defaults.
    """

    net: tuple[str, ...] | None = None
    import_map: str | None = None
    lock_file: str | None = None
    compiler_options: Mapping[str, Any] | None = None
    enable_cron: bool = False
    # The lowest isolation level that it may run at.
    min_isolation: str | None = None
    databases: Mapping[str, str] | None = None
    # v2's, by context and name.
    of_contexts: Mapping[Context, Mapping[str, str]] | None = None


NONE = Settings()


def save(connection: Connection, deployment_id: str, settings: Settings) -> None:
    """Store the settings of a new deployment."""
    databases.link(connection, deployment_id, settings.databases or {})
    for context, linked in (settings.of_contexts or {}).items():
        databases.link(connection, deployment_id, linked, context)
    if settings == Settings(databases=settings.databases, of_contexts=settings.of_contexts):
        return
    values = {
        "deployment_id": deployment_id,
        "net": None if settings.net is None else list(settings.net),
        "import_map": settings.import_map,
        "lock_file": settings.lock_file,
        "compiler_options": settings.compiler_options,
        "enable_cron": settings.enable_cron,
        "min_isolation": settings.min_isolation,
    }
    connection.execute(deployment_settings.insert().values(values))


def load(connection: Connection, deployment_ids: Iterable[str]) -> dict[str, Settings]:
    """Return the settings of each deployment."""
    wanted = list(deployment_ids)
    linked = databases.linked_to(connection, wanted)
    by_context = databases.linked_by_context(connection, wanted)
    query = sa.select(deployment_settings).where(deployment_settings.c.deployment_id.in_(wanted))
    found = {
        deployment_id: Settings(
            databases=linked[deployment_id], of_contexts=by_context[deployment_id]
        )
        for deployment_id in wanted
    }
    for row in connection.execute(query):
        found[row.deployment_id] = Settings(
            net=None if row.net is None else tuple(row.net),
            import_map=row.import_map,
            lock_file=row.lock_file,
            compiler_options=row.compiler_options,
            enable_cron=row.enable_cron,
            min_isolation=row.min_isolation,
            databases=linked[row.deployment_id],
            of_contexts=by_context[row.deployment_id],
        )
    return found
