"""Checks of the local forge: the whole check, by its deployment."""

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.storage import tables
from bot.adapters.storage.connect import Engines
from bot.core.model.checks import Check
from bot.core.model.ids import DeploymentId

_CHECK = TypeAdapter(Check)


class SqlCheckShelf:
    """Where the local forge puts its checks."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def put(self, check: Check) -> str:
        """Store `check` in place of an earlier state of it and return its id."""
        table = tables.checks
        body = _CHECK.dump_json(check).decode()
        with self._engines.write.begin() as connection:
            updated = connection.execute(
                sa.update(table).where(table.c.deployment_id == check.deployment).values(body=body)
            ).rowcount
            if not updated:
                connection.execute(
                    sa.insert(table).values(deployment_id=check.deployment, body=body)
                )
        return check.deployment

    def of(self, deployment: DeploymentId) -> Check | None:
        """Return the check of an attempt, or None before its first."""
        table = tables.checks
        with self._engines.read.connect() as connection:
            body = connection.scalar(
                sa.select(table.c.body).where(table.c.deployment_id == deployment)
            )
        return None if body is None else _CHECK.validate_json(body)
