"""Apps' logs for somebody on the same machine, who needs no API for it: read and nothing else."""

from collections.abc import Sequence

import sqlalchemy as sa

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.store import app_logs
from bot.subhosting.store.app_logs import StoredLine, Wanted
from bot.subhosting.store.engine import Database
from bot.subhosting.store.tables import deployments


class LogReader:
    """Reads a server's store; connects at the first question."""

    def __init__(self, config: SubhostingConfig) -> None:
        """Remember where the store is; it may be made later, by the server."""
        self._file = None if config.database_url else config.data_dir / "subhosting.db"
        self._database = Database(config.database)

    def newest(self, deployment_id: str, most: int) -> Sequence[StoredLine] | None:
        """Return the newest lines, up to `most`, as they were written; None: no deployment."""
        # Asking SQLite would make the file.
        if self._file is not None and not self._file.exists():
            return None
        query = sa.select(deployments.c.project_id).where(deployments.c.id == deployment_id)
        with self._database.reading() as connection:
            project_id = connection.scalar(query)
            if project_id is None:
                return None
            wanted = Wanted(project_id=project_id, deployment_id=deployment_id)
            found = app_logs.read(connection, wanted, limit=most, descending=True)
        return found[::-1]
