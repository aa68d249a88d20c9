"""Delete contents that no deployment uses, and never one that is in use or about to be.

Creating a deployment reads which contents are known, writes new ones, and only then commits its
manifest; in between, it relies on files that nothing refers to. So nothing goes in one step:

1. *Forgetting.* A row whose content is unreferenced, and whose file was not touched for the grace
   period, is deleted. Its file stays and is touched first: the grace period starts again.
2. *Deleting.* A file without a row and without a reference goes after that second grace period.

Both steps re-check in a write transaction, which excludes every commit of a deployment: SQLite has
one writer, and on PostgreSQL the project's row is locked `FOR UPDATE`, against which the foreign
key of a new deployment (`FOR KEY SHARE`) waits; if a create has it, the project's turn is later.
Whatever is referenced at that moment stays. That leaves a create C that has not committed, and a
content h that it needs:

- C found h known, and the row is forgotten before C commits. The file stays for a grace period
  from then, counted from *after* C's reading, so C commits first; from then on h is referenced.
  If C only named the hash, h has no row: the next collection restores it.
- C found h unknown and wrote its file (again), on the heels of the deletion. A written file is
  new, so it is younger than the grace period. Between our look at the file and its deletion C may
  have replaced it; so a file is first taken aside under another name, looked at there, and put
  back if it is young. C cannot commit meanwhile. Should we die just then, the next collection
  puts it back.

The argument needs a create to take less than the grace period, from the first byte of its request
on (a content keeps the age at which it arrived), and clocks that do not leap ahead by as much.
With `missing` called in the create's own transaction it needs neither: what was taken away is
noticed before the commit, and the create begins again.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import NoResultFound

from bot.kernel.clock import Clock
from bot.subhosting.store import content
from bot.subhosting.store.blobs import Blob, BlobStore
from bot.subhosting.store.engine import Database
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.tables import blobs as blob_rows
from bot.subhosting.store.tables import deployments, projects

# Far longer than any request lives.
GRACE = timedelta(hours=24)

# How much is done in one transaction; other writers wait for it.
_PER_TRANSACTION = 500

_CONTENT = re.compile(r"[0-9a-f]{40}")
# As `blobs` names what it is writing.
_DRAFT = re.compile(r"\.[0-9a-f]{40}\.[0-9a-f]+")
_ASIDE = re.compile(r"\.aside-([0-9a-f]{40})-[0-9a-f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one collection did."""

    forgotten: int = 0  # rows
    deleted: int = 0  # files
    deleted_bytes: int = 0
    restored: int = 0  # rows of contents that were used again

    def __add__(self, other: "Collected") -> "Collected":
        return Collected(
            forgotten=self.forgotten + other.forgotten,
            deleted=self.deleted + other.deleted,
            deleted_bytes=self.deleted_bytes + other.deleted_bytes,
            restored=self.restored + other.restored,
        )


def collect(
    database: Database, blobs: BlobStore, clock: Clock, older_than: timedelta = GRACE
) -> Collected:
    """Go through all projects once. Safe beside a running server and beside itself."""
    with database.reading() as connection:
        ids = list(connection.scalars(sa.select(projects.c.id)))
    done = Collected()
    for project_id in ids:
        before_s = (clock.now() - older_than).timestamp()
        # A project that is deleted meanwhile takes its folder along, and its manifests.
        with contextlib.suppress(FileNotFoundError, NoResultFound):
            done += _Project(database, blobs, clock, project_id, before_s).collect()
    return done


def missing(
    connection: Connection, blobs: BlobStore, project_id: str, manifest: Manifest
) -> list[tuple[str, str]]:
    """Return (path, git SHA-1) of contents that were taken away since the create looked.

    For the transaction that stores `manifest`, after its contents were recorded: if there are any,
    roll back and begin again. Until that transaction ends nothing more is taken.
    """
    _lock_against_collection(connection, project_id)
    known = content.known(connection, project_id, manifest.files.values())
    folder = blobs.folder(project_id)
    return [
        (path, sha1)
        for path, sha1 in manifest.files.items()
        if sha1 not in known or not (folder / sha1).exists()
    ]


@dataclass(slots=True)
class _Project:
    """One project's collection, and the manifests that it has read so far."""

    database: Database
    blobs: BlobStore
    clock: Clock
    project_id: str
    before_s: float
    # Manifests never change, so what a digest refers to is read once.
    read_digests: set[str] = field(default_factory=set)
    referenced: set[str] = field(default_factory=set)

    def collect(self) -> Collected:
        """Tidy up after a crash, restore, forget, delete."""
        with self.database.reading() as connection:
            self._mark(connection)
            query = sa.select(blob_rows.c.git_sha1).where(
                blob_rows.c.project_id == self.project_id
            )
            rows = set(connection.scalars(query))
        if not self._folder.exists():
            return Collected()
        names = {entry.name for entry in os.scandir(self._folder)}
        self._put_back([name for name in names if _ASIDE.fullmatch(name)])
        self._delete_drafts([name for name in names if _DRAFT.fullmatch(name)])
        files = {name for name in names if _CONTENT.fullmatch(name)}
        done = Collected(restored=self._restore(sorted((self.referenced & files) - rows)))
        for part in _parts(self._old((files & rows) - self.referenced)):
            done += self._forget(part)
        for part in _parts(self._old(files - rows - self.referenced)):
            done += self._delete(part)
        return done

    @property
    def _folder(self) -> Path:
        return self.blobs.folder(self.project_id)

    def _mark(self, connection: Connection) -> None:
        """Add what existing deployments refer to; after the first time only new manifests."""
        used = sa.select(deployments.c.manifest_digest).where(
            deployments.c.project_id == self.project_id
        )
        new = set(connection.scalars(used.distinct())) - self.read_digests
        for digest in new:
            # One at a time: a manifest may have megabytes. One without a row breaks the collection
            # off: what it refers to would be deleted.
            manifest = content.load_manifest(connection, self.project_id, digest)
            self.referenced.update(manifest.files.values())
        self.read_digests |= new

    def _forget(self, hashes: Sequence[str]) -> Collected:
        with self.database.writing() as connection:
            if not _locked_against_creates(connection, self.project_id):
                return Collected()
            self._mark(connection)
            chosen = [sha1 for sha1 in self._old(hashes) if sha1 not in self.referenced]
            now_s = self.clock.now().timestamp()
            for sha1 in chosen:
                # Before the commit: a crash in between must not leave an old file without a row.
                os.utime(self._folder / sha1, (now_s, now_s))
            connection.execute(
                blob_rows.delete().where(
                    blob_rows.c.project_id == self.project_id, blob_rows.c.git_sha1.in_(chosen)
                )
            )
        return Collected(forgotten=len(chosen))

    def _delete(self, hashes: Sequence[str]) -> Collected:
        with self.database.writing() as connection:
            if not _locked_against_creates(connection, self.project_id):
                return Collected()
            self._mark(connection)
            known = content.known(connection, self.project_id, hashes)
            done = Collected()
            for sha1 in hashes:
                if sha1 not in self.referenced and sha1 not in known:
                    done += self._delete_file(sha1)
        return done

    def _delete_file(self, sha1: str) -> Collected:
        """Delete a file unless it was replaced by a young one a moment ago."""
        aside = self._folder / f".aside-{sha1}-{secrets.token_hex(6)}"
        try:
            (self._folder / sha1).rename(aside)
        except FileNotFoundError:
            return Collected()
        found = aside.stat()
        if found.st_mtime >= self.before_s:
            _link_back(aside, self._folder / sha1)
            return Collected()
        aside.unlink()
        return Collected(deleted=1, deleted_bytes=found.st_size)

    def _put_back(self, asides: Sequence[str]) -> None:
        """Undo what a collection that died had taken aside."""
        if not asides:
            return
        with self.database.writing() as connection:
            # Another collection may be in the middle of it: then this waits.
            _lock_against_collection(connection, self.project_id)
            for name in asides:
                if (found := _ASIDE.fullmatch(name)) is not None:
                    _link_back(self._folder / name, self._folder / found.group(1))

    def _delete_drafts(self, names: Sequence[str]) -> None:
        """Delete what writers that died had begun; `older_than` is not for them."""
        before_s = (self.clock.now() - GRACE).timestamp()
        for name in names:
            path = self._folder / name
            with contextlib.suppress(FileNotFoundError):  # it has its own name by now
                if path.stat().st_mtime < before_s:
                    path.unlink()

    def _restore(self, hashes: Sequence[str]) -> int:
        """Record contents again that were forgotten while a create relied on them."""
        restored = 0
        for sha1 in hashes:
            found = Blob.of_file(self._folder / sha1)
            if found.git_sha1 != sha1:
                continue  # damaged: better unknown than wrong
            with self.database.writing() as connection:
                # Only against deletion: a create that records the same content at this moment
                # would wait for us, and we for its row.
                _lock_against_collection(connection, self.project_id)
                gone = not (self._folder / sha1).exists()
                if gone or content.known(connection, self.project_id, [sha1]):
                    continue
                content.record(connection, self.project_id, {sha1: found})
            restored += 1
        return restored

    def _old(self, names: Collection[str]) -> list[str]:
        """Return those whose file was neither written nor touched in the grace period."""
        return [name for name in sorted(names) if self._is_old(name)]

    def _is_old(self, name: str) -> bool:
        try:
            return (self._folder / name).stat().st_mtime < self.before_s
        except FileNotFoundError:
            return False


def _this_project(project_id: str) -> "sa.Select[tuple[str]]":
    return sa.select(projects.c.id).where(projects.c.id == project_id)


def _locked_against_creates(connection: Connection, project_id: str) -> bool:
    """Hold off creates, or return False if one is committing; SQLite has done it already.

    Never waits: other creates would queue behind us, one of them with a row for which the first
    one waits, and PostgreSQL would end one of them as a deadlock. False too without a project.
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
    """
    query = _this_project(project_id).with_for_update(skip_locked=True)
    return connection.scalar(query) is not None


def _lock_against_collection(connection: Connection, project_id: str) -> None:
    """Wait for a collection and hold off others; creates go on."""
    connection.execute(_this_project(project_id).with_for_update(read=True, key_share=True))


def _link_back(aside: Path, path: Path) -> None:
    """Give a file its name back, durably, unless a newer one has it."""
    try:
        path.hardlink_to(aside)
    except (FileExistsError, FileNotFoundError):
        pass
    else:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    aside.unlink(missing_ok=True)


def _parts(hashes: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(hashes), _PER_TRANSACTION):
        yield hashes[start : start + _PER_TRANSACTION]
