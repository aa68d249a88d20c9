"""Manifests as they are stored: whole, or as what differs from another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from bot.kernel.clock import SystemClock
from bot.subhosting import setup
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.store import content, projects
from bot.subhosting.store.content import Ground, Step
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import Manifest, ProjectRecord
from bot.subhosting.store.tables import manifests

ROOT = Manifest(
    files={f"d{n % 9}/f{n}": f"{n:040x}" for n in range(300)},
    links={"link": "d1", "d1/link": "../d2"},
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    config = SubhostingConfig(data_dir=tmp_path / "data")
    organization = setup.prepare(config)
    database = Database(config.database)
    now = SystemClock().now()
    with database.writing() as opened:
        project = ProjectRecord(
            id="p", organization_id=organization.id, name="p", description="", created_at=now,
            updated_at=now,
        )  # fmt: skip
        projects.insert(opened, project)
        yield opened
    database.close()


def changed(before: Manifest, change: dict[str, str | None]) -> Manifest:
    """Return a manifest with files put, links put (`-> target`) and paths taken away (None)."""
    files, links = dict(before.files), dict(before.links)
    for path, value in change.items():
        files.pop(path, None)
        links.pop(path, None)
        if value is not None and value.startswith("-> "):
            links[path] = value.removeprefix("-> ")
        elif value is not None:
            files[path] = value
    return Manifest(files=files, links=links)


def saved(connection: Connection, manifest: Manifest, step: Step | None = None) -> Ground:
    digest = content.save_manifest(connection, "p", manifest, 1, step)
    return content.load_ground(connection, "p", digest)


def stored_bytes(connection: Connection) -> list[int]:
    sizes = sa.select(sa.func.length(manifests.c.document))
    return sorted(connection.scalars(sizes))


PATHS = st.one_of(st.sampled_from([*ROOT.files, *ROOT.links]), st.text("xy/", min_size=1))
CHANGES = st.dictionaries(
    PATHS, st.sampled_from([None, "f" * 40, "0" * 40, "-> d3", "-> d4"]), max_size=12
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, min_size=1, max_size=5))
def test_whatever_steps_were_taken_a_manifest_is_what_was_saved(
    connection: Connection, steps: list[dict[str, str | None]]
) -> None:
    ground = saved(connection, ROOT)
    manifest = ROOT
    for change in steps:
        manifest = changed(manifest, change)
        ground = saved(connection, manifest, Step(ground=ground, touched=set(change)))

        assert ground.manifest == manifest
        assert ground.differing == {
            path
            for path in {*manifest.files, *manifest.links, *ground.root.files, *ground.root.links}
            if manifest.files.get(path) != ground.root.files.get(path)
            or manifest.links.get(path) != ground.root.links.get(path)
        }


def test_a_small_step_is_stored_as_what_differs(connection: Connection) -> None:
    ground = saved(connection, ROOT)
    whole = max(stored_bytes(connection))

    for n in range(5):
        change: dict[str, str | None] = {f"d1/f{n}": "f" * 40}
        ground = saved(
            connection,
            changed(ground.manifest, change),
            Step(ground=ground, touched=set(change)),
        )

    assert ground.root == ROOT
    assert sum(stored_bytes(connection)) < 1.1 * whole


def test_after_many_steps_a_manifest_is_stored_whole_again(connection: Connection) -> None:
    ground = saved(connection, ROOT)
    change: dict[str, str | None] = {f"d{n % 9}/f{n}": "f" * 40 for n in range(31)}

    ground = saved(connection, changed(ROOT, change), Step(ground=ground, touched=set(change)))

    assert ground.root == ground.manifest
    assert ground.differing == set()


def test_a_manifest_has_one_name_however_it_is_stored(connection: Connection) -> None:
    ground = saved(connection, ROOT)
    later = changed(ROOT, {"d1/f1": "f" * 40})

    by_step = content.save_manifest(
        connection, "p", later, 1, Step(ground=ground, touched={"d1/f1"})
    )

    assert content.save_manifest(connection, "p", later) == by_step
    assert content.load_manifest(connection, "p", by_step) == later
