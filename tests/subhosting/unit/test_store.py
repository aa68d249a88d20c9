"""Rows and blobs without any process around them."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot.subhosting import setup
from bot.subhosting.build import materialise
from bot.subhosting.build.materialise import ContentLost
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.identifiers import token_hash
from bot.subhosting.store.blobs import Blob, BlobStore
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.tables import SCHEMA_REVISION, metadata, organizations, tokens


@pytest.fixture
def config(tmp_path: Path) -> SubhostingConfig:
    return SubhostingConfig(data_dir=tmp_path / "data")


def test_the_migrations_make_the_tables(config: SubhostingConfig) -> None:
    setup.prepare(config)
    database = Database(config.database)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_a_database_that_is_up_to_date_is_known_to_be(config: SubhostingConfig) -> None:
    setup.prepare(config)
    database = Database(config.database)
    with database.reading() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == SCHEMA_REVISION
    database.close()


def test_preparing_again_changes_nothing(config: SubhostingConfig) -> None:
    assert setup.prepare(config) == setup.prepare(config)


def test_a_token_is_stored_as_its_hash_only_and_once(config: SubhostingConfig) -> None:
    token = setup.create_token(config, "first")
    setup.register_token(config, token, "again")
    database = Database(config.database)
    with database.reading() as connection:
        rows = connection.execute(sa.select(tokens)).all()
    database.close()

    assert token.startswith("ddo_")
    assert [(row.hash, row.name) for row in rows] == [(token_hash(token), "first")]
    assert token.encode() not in config.data_dir.joinpath("subhosting.db").read_bytes()


def test_a_relative_data_directory_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute"):
        SubhostingConfig(data_dir=Path("data"))


def test_what_a_writer_reads_is_true_when_it_writes(config: SubhostingConfig) -> None:
    setup.prepare(config)
    database = Database(config.database)

    def increment(_: int) -> None:
        with database.writing() as connection:
            count = int(connection.execute(sa.select(organizations.c.name)).scalar_one())
            connection.execute(organizations.update().values(name=str(count + 1)))

    with database.writing() as connection:
        connection.execute(organizations.update().values(name="0"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(80)))
    with database.reading() as connection:
        assert connection.execute(sa.select(organizations.c.name)).scalar_one() == "80"
    database.close()


@pytest.mark.parametrize("count", [1, 6, 60])
def test_many_writers_of_the_same_blobs_leave_whole_files(tmp_path: Path, count: int) -> None:
    store = BlobStore(tmp_path)
    blobs = {blob.git_sha1: blob for blob in (Blob.of(os.urandom(9000)) for _ in range(count))}
    barrier = threading.Barrier(8)

    def write(_: int) -> None:
        barrier.wait()
        store.write("p", blobs)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    found = {file.name: file.read_bytes() for file in (tmp_path / "p").iterdir()}
    assert found == {name: blob.content for name, blob in blobs.items()}


def test_a_manifest_becomes_links_to_blobs(tmp_path: Path) -> None:
    store, blob = BlobStore(tmp_path / "blobs"), Blob.of(b"content")
    store.write("p", {blob.git_sha1: blob})
    target = tmp_path / "src"
    manifest = Manifest(
        files={"a": blob.git_sha1, "b/c/d": blob.git_sha1, "b/\n": blob.git_sha1},
        links={"b/link": "../a"},
    )

    materialise.materialise(manifest, store.folder("p"), target)

    assert (target / "b/link").read_bytes() == b"content"
    inode = (store.folder("p") / blob.git_sha1).stat().st_ino
    assert {(target / path).stat().st_ino for path in manifest.files} == {inode}
    assert not (target / "a").stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    materialise.own_copy(target / "a")
    assert (target / "a").stat().st_ino != inode
    assert (target / "a").read_bytes() == b"content"


def test_lost_content_leaves_nothing_half_made(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    lost = Manifest(files={"a": "0" * 40}, links={})

    with pytest.raises(ContentLost, match="'a'"):
        materialise.materialise(lost, tmp_path / "blobs", tmp_path / "d" / "src")

    assert list((tmp_path / "d").iterdir()) == []


def test_a_file_system_that_refuses_more_links_gets_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, blob = BlobStore(tmp_path / "blobs"), Blob.of(b"content")
    store.write("p", {blob.git_sha1: blob})

    def full(*_: object, **__: object) -> None:
        raise OSError(31, "Too many links")

    monkeypatch.setattr(os, "link", full)
    manifest = Manifest(files={"a": blob.git_sha1}, links={})
    materialise.materialise(manifest, store.folder("p"), tmp_path / "src")

    assert (tmp_path / "src" / "a").read_bytes() == b"content"
