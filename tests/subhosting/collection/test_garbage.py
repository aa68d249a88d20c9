"""Garbage collection: what goes, what stays, and creates that happen at the worst moment."""

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from typing_extensions import override

from bot.kernel.clock import SystemClock
from bot.subhosting.store import content, garbage
from bot.subhosting.store.blobs import Blob, BlobStore
from bot.subhosting.store.engine import Database
from bot.subhosting.store.garbage import GRACE, Collected, collect
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.tables import blobs as blob_rows
from bot.subhosting.store.tables import deployments, metadata, organizations, projects
from tests.fakes.clock import FakeClock

PROJECT = "11111111-1111-4111-8111-111111111111"
OLD = GRACE + timedelta(seconds=1)


class InterruptedDatabase(Database):
    """Lets something happen just before the next write transaction begins."""

    before_write: Callable[[], None] | None = None

    @contextmanager
    @override
    def writing(self) -> Iterator[Connection]:
        if (interruption := self.before_write) is not None:
            self.before_write = None
            interruption()
        with super().writing() as connection:
            yield connection


@dataclass
class Bench:
    """A store with one project, and creates cut into their three steps."""

    database: InterruptedDatabase
    blobs: BlobStore
    # Real files carry real times.
    clock: FakeClock = field(default_factory=lambda: FakeClock(datetime.now(UTC)))
    made: int = 0

    @property
    def folder(self) -> Path:
        return self.blobs.folder(PROJECT)

    def collect(self, older_than: timedelta = GRACE) -> Collected:
        return collect(self.database, self.blobs, self.clock, older_than)

    def read(self, sent: Mapping[str, Blob]) -> dict[str, Blob]:
        """Step 1 of a create: return what is not known yet."""
        with self.database.reading() as connection:
            known = content.known(connection, PROJECT, sent)
        return {sha1: blob for sha1, blob in sent.items() if sha1 not in known}

    def commit(
        self, sent: Mapping[str, Blob], manifest: Manifest, *, guarded: bool = False
    ) -> str | None:
        """Step 3: return the new deployment's id; None if the guard sends the create back."""
        with self.database.writing() as connection:
            content.record(connection, PROJECT, sent)
            digest = content.save_manifest(connection, PROJECT, manifest)
            if guarded and garbage.missing(connection, self.blobs, PROJECT, manifest):
                connection.rollback()
                return None
            deployment = os.urandom(6).hex()
            _insert_deployment(connection, deployment, digest, self.clock.now())
        return deployment

    def create(self, *texts: str) -> str:
        """All three steps."""
        sent = blobs_of(*texts)
        self.blobs.write(PROJECT, self.read(sent))
        made = self.commit(sent, manifest_of(sent))
        assert made is not None
        return made

    def create_guarded(self, sent: Mapping[str, Blob]) -> str:
        """Begin again as often as the guard says so."""
        made = None
        while made is None:
            self.blobs.write(PROJECT, self.read(sent))
            made = self.commit(sent, manifest_of(sent), guarded=True)
        return made

    def create_and_delete(self, seed: int) -> set[str]:
        """Return the hashes that the deployments use which are left at the end."""
        dice = random.Random(seed)  # noqa: S311 - to be the same in each run
        kept: dict[str, set[str]] = {}
        for _ in range(25):
            sent = blobs_of(*(f"content {number}" for number in dice.sample(range(12), 4)))
            kept[self.create_guarded(sent)] = set(sent)
            assert all((self.folder / sha1).exists() for sha1 in sent)
            if dice.random() < 0.8:
                gone = dice.choice(sorted(kept))
                self.delete(gone)
                del kept[gone]
        return set().union(*kept.values())

    def delete(self, deployment: str) -> None:
        with self.database.writing() as connection:
            connection.execute(deployments.delete().where(deployments.c.id == deployment))

    def rows(self) -> set[str]:
        with self.database.reading() as connection:
            return set(connection.scalars(sa.select(blob_rows.c.git_sha1)))

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def leftover(self, text: str) -> str:
        """Return the hash of an old content that only a deleted deployment used."""
        self.delete(self.create(text))
        self.age()
        return Blob.of(text.encode()).git_sha1

    def age(self) -> None:
        for path in self.folder.iterdir():
            before = (self.clock.now() - OLD).timestamp()
            os.utime(path, (before, before))


def blobs_of(*texts: str) -> dict[str, Blob]:
    return {blob.git_sha1: blob for blob in (Blob.of(text.encode()) for text in texts)}


def manifest_of(sent: Mapping[str, Blob]) -> Manifest:
    return Manifest(files={f"{sha1}.ts": sha1 for sha1 in sent}, links={})


def _insert_deployment(connection: Connection, name: str, digest: str, now: datetime) -> None:
    connection.execute(
        deployments.insert().values(
            id=name,
            project_id=PROJECT,
            status="success",
            manifest_digest=digest,
            entry_point="main.ts",
            env_vars={},
            domains=[],
            created_at=now,
            updated_at=now,
        )
    )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    url = f"sqlite:///{tmp_path / 'subhosting.db'}"
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    database = InterruptedDatabase(url)
    now = datetime.now(UTC)
    with database.writing() as connection:
        moments = {"created_at": now, "updated_at": now}
        connection.execute(organizations.insert().values(id="o", name="o", **moments))
        connection.execute(
            projects.insert().values(
                id=PROJECT, organization_id="o", name="p", description="", **moments
            )
        )
    yield Bench(database=database, blobs=BlobStore(tmp_path / "blobs"))
    database.close()


def test_an_unused_content_goes_in_two_steps(bench: Bench) -> None:
    sha1 = bench.leftover("unused")

    assert bench.collect() == Collected(forgotten=1)
    assert (bench.rows(), bench.files()) == (set(), {sha1})
    assert bench.collect() == Collected()

    bench.clock.move(OLD)
    assert bench.collect() == Collected(deleted=1, deleted_bytes=6)
    assert bench.files() == set()


def test_what_a_deployment_uses_stays_however_old(bench: Bench) -> None:
    bench.create("used", "shared")
    bench.delete(bench.create("unused", "shared"))
    bench.age()
    bench.collect()
    bench.clock.move(OLD)
    bench.collect()

    assert bench.files() == bench.rows() == set(blobs_of("used", "shared"))


def test_a_young_content_stays(bench: Bench) -> None:
    bench.delete(bench.create("young"))

    assert bench.collect() == Collected()


def test_what_crashed_writers_left_goes(bench: Bench) -> None:
    bench.create("used")
    orphan = Blob.of(b"written, never recorded")
    bench.blobs.write(PROJECT, {orphan.git_sha1: orphan})
    draft = bench.folder / f".{orphan.git_sha1}.0123456789ab"
    draft.write_bytes(b"wri")
    young = bench.folder / f".{orphan.git_sha1}.ba9876543210"
    bench.age()
    young.write_bytes(b"wri")

    assert bench.collect().deleted == 1
    assert bench.files() == {*blobs_of("used"), young.name}


def test_a_create_that_saw_the_content_just_before_it_was_forgotten_keeps_it(
    bench: Bench,
) -> None:
    sha1 = bench.leftover("reused")
    sent = blobs_of("reused")

    assert bench.read(sent) == {}
    assert bench.collect().forgotten == 1
    bench.commit(sent, manifest_of(sent))
    bench.clock.move(OLD)

    assert bench.collect() == Collected()
    assert bench.files() == bench.rows() == {sha1}


def test_a_create_that_only_names_a_forgotten_content_gets_it_and_its_row_back(
    bench: Bench,
) -> None:
    sha1 = bench.leftover("named")
    manifest = manifest_of(blobs_of("named"))

    assert bench.read(blobs_of("named")) == {}
    assert bench.collect().forgotten == 1
    bench.commit({}, manifest)
    assert bench.rows() == set()
    bench.clock.move(OLD)

    assert bench.collect() == Collected(restored=1)
    assert bench.files() == bench.rows() == {sha1}


def test_a_damaged_file_gets_no_row_back(bench: Bench) -> None:
    sha1 = bench.leftover("named")
    bench.collect()
    bench.commit({}, manifest_of(blobs_of("named")))
    (bench.folder / sha1).chmod(0o600)
    (bench.folder / sha1).write_bytes(b"damaged")

    assert bench.collect() == Collected()


def test_a_create_that_commits_while_forgetting_begins_keeps_the_row(bench: Bench) -> None:
    sha1 = bench.leftover("reused")
    sent = blobs_of("reused")
    assert bench.read(sent) == {}

    def commit() -> None:
        bench.commit(sent, manifest_of(sent))

    bench.database.before_write = commit

    assert bench.collect() == Collected()
    assert bench.files() == bench.rows() == {sha1}


def test_a_content_that_is_written_again_while_it_is_deleted_stays(bench: Bench) -> None:
    sha1 = bench.leftover("rewritten")
    bench.collect()
    bench.age()
    sent = blobs_of("rewritten")
    assert bench.read(sent) == sent
    # After the collection looked at the file's age, and before its transaction.
    bench.database.before_write = lambda: bench.blobs.write(PROJECT, sent)

    assert bench.collect() == Collected()
    assert bench.files() == {sha1}
    bench.commit(sent, manifest_of(sent))
    assert (bench.folder / sha1).read_bytes() == b"rewritten"


def test_a_collection_that_died_while_it_looked_is_undone(bench: Bench) -> None:
    (sha1,) = blobs_of("used")
    bench.create("used")
    (bench.folder / sha1).rename(bench.folder / f".aside-{sha1}-0123456789ab")

    bench.collect()

    assert bench.files() == {sha1}


def test_a_project_that_is_deleted_meanwhile_is_no_error(bench: Bench) -> None:
    bench.leftover("gone")

    def delete_project() -> None:
        with bench.database.writing() as connection:
            connection.execute(projects.delete())
        bench.blobs.forget_project(PROJECT)

    bench.database.before_write = delete_project

    assert bench.collect() == Collected()


def test_the_guard_names_what_was_taken_away(bench: Bench) -> None:
    sha1 = bench.leftover("taken")
    sent = blobs_of("taken")
    assert bench.read(sent) == {}
    bench.collect()
    bench.age()
    bench.collect()

    with bench.database.writing() as connection:
        content.record(connection, PROJECT, sent)
        lost = garbage.missing(connection, bench.blobs, PROJECT, manifest_of(sent))
        connection.rollback()

    assert lost == [(f"{sha1}.ts", sha1)]
    assert bench.commit(sent, manifest_of(sent), guarded=True) is None


def test_creates_deletes_and_collections_at_once_lose_nothing(bench: Bench) -> None:
    """No grace period at all: only the guard stands between a create and the collection."""
    over = threading.Event()

    def collect_once() -> None:
        # Ahead of all files' times, so that each is old at once.
        clock = FakeClock(SystemClock().now() + timedelta(seconds=5))
        collect(bench.database, bench.blobs, clock, timedelta(0))

    def collect_always() -> None:
        while not over.is_set():
            collect_once()

    with ThreadPoolExecutor(6) as pool:
        collections = [pool.submit(collect_always) for _ in range(2)]
        try:
            used = set().union(*pool.map(bench.create_and_delete, range(4)))
        finally:
            over.set()
        for each in collections:
            each.result()

    assert used <= bench.files()
    assert used <= bench.rows()
    collect_once()
    collect_once()
    assert bench.files() == bench.rows() == used
