"""A server of the first release, after the step to API v2."""

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.subhosting import setup
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.store import bindings, deployments, migrations
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import Status

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_MOMENTS = {"created_at": "2026-11-20 12:00:00", "updated_at": "2026-11-20 12:00:00"}
_ROWS = {
    "organizations": {"id": "o", "name": "o", **_MOMENTS},
    "projects": {"id": "p", "organization_id": "o", "name": "p", "description": "", **_MOMENTS},
    "deployments": {
        "id": "d",
        "project_id": "p",
        "status": "success",
        "manifest_digest": "x",
        "entry_point": "main.ts",
        "env_vars": "{}",
        "domains": '["p-d.localhost"]',
        **_MOMENTS,
    },
    "bindings": {
        "host": "p-d.localhost",
        "deployment_id": "d",
        "revision": "sha",
        "updated_at": "2026-11-20 12:00:00",
    },
}


def test_deployments_and_hosts_of_the_first_release_stay(tmp_path: Path) -> None:
    config = SubhostingConfig(data_dir=tmp_path / "data")
    config.data_dir.mkdir()
    database = Database(config.database)
    with database.writing() as connection:
        _up_to_the_first(connection)
        for name, values in _ROWS.items():
            table = sa.table(name, *(sa.column(column) for column in values))
            connection.execute(table.insert().values(values))

    setup.prepare(config)

    with database.reading() as connection:
        (binding,) = bindings.load(connection, ["p-d.localhost"])
        deployment = deployments.find(connection, "o", "d")
    database.close()
    assert (binding.deployment_id, binding.revision) == ("d", "sha")
    assert binding.self_contained
    assert deployment is not None
    assert (deployment.status, deployment.targets) == (Status.SUCCESS, None)
    assert deployment.created_at == NOW


def _up_to_the_first(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "s0001")
