"""What happens before the server starts: the schema, the organization, the tokens."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.kernel.clock import SystemClock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.identifiers import new_token, new_uuid, token_hash
from bot.subhosting.store import migrations
from bot.subhosting.store.engine import Database
from bot.subhosting.store.tables import SCHEMA_REVISION, organizations, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """The owner of everything on this server."""

    id: str
    name: str
    created_at: datetime


def prepare(config: SubhostingConfig) -> Organization:
    """Bring the schema up to date and return the organization, created at the first start.

    Harmless to repeat. Call it before the control API and the host process start.
    """
    for folder in (config.data_dir, config.blobs_dir, config.deployments_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Files in it may be readable for all, so that apps with a user of their own can read theirs;
    # to get there takes a mount of ours.
    config.data_dir.chmod(0o700)
    database = Database(config.database)
    try:
        with database.writing() as connection:
            migrate(connection)
            return _organization(connection, config)
    finally:
        database.close()


def create_token(config: SubhostingConfig, name: str) -> str:
    """Return a new access token; it is shown this once, the store keeps only its hash."""
    token = new_token()
    register_token(config, token, name)
    return token


def register_token(config: SubhostingConfig, token: str, name: str) -> None:
    """Accept `token` from now on, under `name`; harmless to repeat."""
    organization = prepare(config)
    database = Database(config.database)
    try:
        with database.writing() as connection:
            known = sa.select(tokens.c.hash).where(tokens.c.hash == token_hash(token))
            if connection.scalar(known) is None:
                values = {
                    "hash": token_hash(token),
                    "organization_id": organization.id,
                    "name": name,
                    "created_at": SystemClock().now(),
                }
                connection.execute(tokens.insert().values(values))
    finally:
        database.close()


def migrate(connection: Connection) -> None:
    """Run the missing steps of `store/migrations` in the transaction of `connection`."""
    if _revision(connection) == SCHEMA_REVISION:
        return
    # Needed once per release; costs 0.1 s and 8 MB.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Return the revision that the database stands at, or None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def _organization(connection: Connection, config: SubhostingConfig) -> Organization:
    row = connection.execute(sa.select(organizations)).first()
    if row is None:
        now = SystemClock().now()
        values = {
            "id": config.organization_id or new_uuid(),
            "name": config.organization_name,
            "created_at": now,
            "updated_at": now,
        }
        connection.execute(organizations.insert().values(values))
        row = connection.execute(sa.select(organizations)).one()
    return Organization(id=row.id, name=row.name, created_at=row.created_at)
