"""How large KV databases are, from their files to what a project's analytics say."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.kernel.clock import SystemClock
from bot.subhosting import setup
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.kv_sizes import KvSizes
from bot.subhosting.kv.messages import AtomicWrite, Kind, Mutation
from bot.subhosting.kv.store import KvStore
from bot.subhosting.store import databases, deployments, kv_sizes
from bot.subhosting.store.analytics import BUCKET
from bot.subhosting.store.databases import DatabaseRecord
from bot.subhosting.store.engine import Database
from bot.subhosting.store.kv_sizes import Change, Use, totals
from bot.subhosting.store.observation_tables import kv_sizes as table
from bot.subhosting.store.tables import organizations
from tests.subhosting.observation.rows import MADE, insert_deployment

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
BUCKETS = [NOON + BUCKET * number for number in range(4)]


@pytest.fixture
def config(tmp_path: Path) -> SubhostingConfig:
    made = SubhostingConfig(data_dir=tmp_path / "data")
    setup.prepare(made)
    return made


@pytest.fixture
def database(config: SubhostingConfig) -> Iterator[Database]:
    made = Database(config.database)
    yield made
    made.close()


@pytest.fixture
def sizes(config: SubhostingConfig, database: Database) -> KvSizes:
    return KvSizes(database, config.kv_file)


def insert_database(database: Database, database_id: str, *users: str) -> str:
    """Add a database that deployments use; return the organization."""
    with database.writing() as connection:
        organization = str(connection.scalar(sa.select(organizations.c.id)))
        record = DatabaseRecord(
            id=database_id,
            organization_id=organization,
            description="",
            instance_id=None,
            name=None,
            created_at=MADE,
            updated_at=MADE,
        )
        databases.insert(connection, record)
        for each in users:
            databases.link(connection, each, {"default": database_id})
    return organization


def fill(config: SubhostingConfig, database_id: str, size_bytes: int) -> None:
    file = config.kv_file(database_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    store = KvStore(file, SystemClock(), 10_000_000)
    for start in range(0, size_bytes, 50_000):
        write = AtomicWrite((), [Mutation(b"%d" % start, Kind.SET, b"x" * 50_000)])
        store.write(write)
    store.close()


def read(database: Database, owner: "sa.ColumnElement[bool]") -> list[int]:
    with database.reading() as connection:
        found = kv_sizes.changes(connection, owner, BUCKETS[0], BUCKETS[-1] + BUCKET)
    return totals(BUCKETS, found)


def test_a_size_holds_until_it_changes(
    config: SubhostingConfig, database: Database, sizes: KvSizes
) -> None:
    insert_deployment(database, "one", "project")
    insert_database(database, "kv", "one")

    sizes.look(BUCKETS[0])
    fill(config, "kv", 100_000)
    sizes.look(BUCKETS[1])
    sizes.look(BUCKETS[2])
    fill(config, "kv", 1_000_000)
    sizes.look(BUCKETS[3])

    first, second, third, fourth = read(database, kv_sizes.of_project("project"))
    assert first == 0
    assert 100_000 < second == third < 200_000
    assert fourth > 1_000_000


def test_another_host_goes_on_where_the_last_one_ended(
    config: SubhostingConfig, database: Database, sizes: KvSizes
) -> None:
    insert_deployment(database, "one", "project")
    insert_database(database, "kv", "one")
    fill(config, "kv", 100_000)
    sizes.look(BUCKETS[0] - 100 * BUCKET)

    KvSizes(database, config.kv_file).look(BUCKETS[2])

    found = read(database, kv_sizes.of_project("project"))
    assert len(set(found)) == 1
    assert found[0] > 100_000
    with database.reading() as connection:
        assert len(connection.execute(sa.select(table)).all()) == 1


def test_a_shared_database_counts_for_each_project_and_once_for_the_organization(
    config: SubhostingConfig, database: Database, sizes: KvSizes
) -> None:
    insert_deployment(database, "one", "project")
    insert_deployment(database, "two", "other")
    insert_database(database, "lonely")
    organization = insert_database(database, "shared", "one", "two")
    fill(config, "shared", 100_000)
    fill(config, "lonely", 500_000)

    sizes.look(BUCKETS[0])
    with database.writing() as connection:
        deployments.delete(connection, "two")
    sizes.look(BUCKETS[2])

    mine = read(database, kv_sizes.of_project("project"))
    assert 100_000 < mine[0] == mine[3] < 200_000
    assert read(database, kv_sizes.of_project("other")) == [mine[0], mine[0], 0, 0]
    whole = read(database, kv_sizes.of_organization(organization))
    assert 600_000 < whole[0] == whole[3] < 800_000


def test_what_holds_now_is_not_pruned_however_old(
    config: SubhostingConfig, database: Database, sizes: KvSizes
) -> None:
    insert_deployment(database, "one", "project")
    insert_database(database, "kv", "one")
    fill(config, "kv", 50_000)
    sizes.look(BUCKETS[0] - 3 * BUCKET)
    fill(config, "kv", 500_000)
    sizes.look(BUCKETS[0] - 2 * BUCKET)

    with database.writing() as connection:
        kv_sizes.prune(connection, BUCKETS[0])

    assert read(database, kv_sizes.of_project("project"))[0] > 500_000
    with database.reading() as connection:
        assert len(connection.execute(sa.select(table)).all()) == 1


def test_a_file_that_is_no_database_keeps_its_last_size(
    config: SubhostingConfig, database: Database, sizes: KvSizes
) -> None:
    insert_deployment(database, "one", "project")
    insert_database(database, "kv", "one")
    fill(config, "kv", 50_000)
    sizes.look(BUCKETS[0])
    config.kv_file("kv").write_bytes(b"broken by hand" * 1000)

    sizes.look(BUCKETS[1])

    first, second, *_ = read(database, kv_sizes.of_project("project"))
    assert first == second > 50_000


def test_the_total_is_that_of_the_last_change_of_each() -> None:
    one, two = Use("a", "p"), Use("b", "p")
    found = [
        Change(BUCKETS[0] - BUCKET, one, 5),
        Change(BUCKETS[1], two, 7),
        Change(BUCKETS[1], one, 6),
        Change(BUCKETS[3], two, 0),
    ]

    assert totals(BUCKETS, found) == [5, 13, 13, 6]
    assert totals([], found) == []
