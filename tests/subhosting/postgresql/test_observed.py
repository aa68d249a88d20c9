"""What the host notes on PostgreSQL: sizes of databases, visits, and revisions that end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.subhosting import setup
from bot.subhosting.config import RetentionLimits, SubhostingConfig
from bot.subhosting.host.retention import carry_out
from bot.subhosting.retention import Candidate, Fate, fates
from bot.subhosting.store import analytics, deployments, kv_sizes, retention
from bot.subhosting.store.analytics import BUCKET
from bot.subhosting.store.engine import Database
from bot.subhosting.store.kv_sizes import NOBODY, Use, totals
from bot.subhosting.store.records import Retention
from tests.plugins.postgresql import Postgresql
from tests.subhosting.observation.rows import MADE, deployment_record, insert_deployment

LIMITS = RetentionLimits()
BUCKETS = [datetime(2026, 3, 4, 12, tzinfo=UTC) + BUCKET * number for number in range(3)]


@pytest.fixture
def database(tmp_path: Path, postgresql: Postgresql) -> Iterator[Database]:
    config = SubhostingConfig(data_dir=tmp_path / "data", database_url=postgresql.new_database())
    setup.prepare(config)
    made = Database(config.database)
    yield made
    made.close()


def test_sizes_are_read_as_they_were_stored_and_the_last_is_never_pruned(
    database: Database,
) -> None:
    insert_deployment(database, "one", "project")
    ours, nobodys = Use("kv", "project"), Use("lonely", NOBODY)
    with database.writing() as connection:
        organization = analytics.owners(connection, ["one"])["one"].organization_id
        kv_sizes.put(connection, BUCKETS[0], {ours: (organization, 5)})
        kv_sizes.put(connection, BUCKETS[0], {ours: (organization, 7)})
        kv_sizes.put(
            connection, BUCKETS[1], {ours: (organization, 9), nobodys: (organization, 100)}
        )
        kv_sizes.prune(connection, BUCKETS[1])
        before = kv_sizes.latest(connection)
        kv_sizes.prune(connection, BUCKETS[2])
        found = kv_sizes.changes(
            connection, kv_sizes.of_organization(organization), BUCKETS[0], BUCKETS[2] + BUCKET
        )

    assert before == {ours: (organization, 9), nobodys: (organization, 100)}
    assert totals(BUCKETS, found) == [0, 109, 109]


def test_a_revision_is_disabled_then_deleted_unless_it_was_visited(database: Database) -> None:
    insert_deployment(database, "of-v1", "project")
    auto = replace(deployment_record("idle", "project"), retention=Retention.AUTO)
    with database.writing() as connection:
        deployments.insert(connection, auto)
        deployments.insert(connection, replace(auto, id="visited"))
    later = MADE + LIMITS.disable_after + timedelta(hours=1)
    with database.writing() as connection:
        retention.visited(connection, ["visited", "of-v1"], later - timedelta(hours=2))

    assert _chosen(database, later) == {"idle": Fate.DISABLE}
    assert _chosen(database, later + LIMITS.delete_after) == {}
    last = later + LIMITS.delete_after + timedelta(hours=1)
    assert _chosen(database, last) == {"idle": Fate.DELETE}
    with database.reading() as connection:
        assert deployments.existing(connection) == {"of-v1", "visited"}


def test_what_was_enabled_meanwhile_is_left_alone(database: Database) -> None:
    insert_deployment(database, "of-v1", "project")
    auto = replace(deployment_record("idle", "project"), retention=Retention.AUTO)
    seen = Candidate(id="idle", project_id="project", used_at=MADE, disabled_at=MADE, in_use=False)
    with database.writing() as connection:
        deployments.insert(connection, replace(auto, disabled_at=MADE))
        assert retention.enable(connection, "idle", MADE + timedelta(days=1))

        done = carry_out(connection, [(seen, Fate.DELETE)], MADE + timedelta(days=9))
        again = carry_out(
            connection,
            [(replace(seen, disabled_at=None), Fate.DISABLE)],
            MADE + timedelta(days=9),
        )

    assert (done.deleted, again.disabled) == ([], [])


def _chosen(database: Database, now: datetime) -> dict[str, Fate]:
    """Return what becomes of whom at a moment, after it was done."""
    with database.writing() as connection:
        found = fates(retention.candidates(connection, now), now, LIMITS)
        carry_out(connection, list(found.items()), now)
    return {each.id: fate for each, fate in found.items()}
