"""One bare, blobless mirror per repository, and the only two ways in which it grows.

Reading never goes through the mirror itself but through its *view*: a bare repository without any
remote that borrows the mirror's objects. A blob that is not there is then reported as missing at
once. In the mirror git would go and fetch it, one connection a blob, and before git 2.45 nothing
can forbid it (measured: a 2,000-file first deploy looked like a hang).
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from git.exc import CommandError, GitCommandError

from bot.adapters.git.commands import ClosedGit, ending
from bot.adapters.git.errors import as_ours
from bot.adapters.git.kept import keep, keeps, newest, ref_of
from bot.adapters.git.layout import configuration, lay_out
from bot.adapters.git.lenders import borrowed, lend
from bot.adapters.git.packs import holds
from bot.adapters.git.pkt_line import Unusual
from bot.adapters.git.taking import Part, Take
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import CommitSha, commit_sha
from bot.kernel.contents import LARGE_BYTES

LOG = logging.getLogger(__name__)

# How long one transfer may take in all; a dead one is ended sooner by http.lowSpeedTime.
FETCH_TIMEOUT_S = 900.0

_FETCH_OPTIONS = (
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-gc",
    "--recurse-submodules=no",
)

_PIECE_BYTES = 64 * 1024

# Larger objects are unpacked while they are printed, rather than whole in memory before, unless
# they are kept as a difference to another. Git's default is 512 MiB, our limit of a file.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-corebigFileThreshold
_PIECEWISE = f"core.bigFileThreshold={LARGE_BYTES}"

# How many of the commits that we have are named to the server; one of them is nearly always the
# parent of what was pushed.
_MOST_HAVES = 16

T = TypeVar("T")

Login = Callable[[], AbstractContextManager[Mapping[str, str]]]
# (wanted, haves) -> the pack between them.
Quick = Callable[[CommitSha, list[str]], AbstractContextManager[Iterator[bytes]]]


class Remote(NamedTuple):
    """Where a mirror's objects come from, and how."""

    address: str
    environment: Mapping[str, str]
    login: Login
    quick: Quick | None = None
    history: bool = True  # without it each commit comes alone, and contents when they are wanted


class Mirror:
    """What we have of one repository."""

    def __init__(self, directory: Path, name: str, remote: Remote) -> None:
        """Stand for the mirror of `remote` in `directory`, which is made by the first fetch."""
        self.directory = directory
        self._name = name
        self._remote = remote

    @property
    def view(self) -> ClosedGit:
        """Git on our objects, unable to reach any remote."""
        view = self.directory / "view"
        environment = {
            **self._remote.environment,
            "GIT_DIR": str(view),
            "GIT_OBJECT_DIRECTORY": str(self.directory / "objects"),
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_LITERAL_PATHSPECS": "1",  # an app's folder may be called `*`
            # Bytes go through as they are; loading another locale is a tenth of a small command.
            "LC_ALL": "C",
        }
        if lent := borrowed(self.directory):
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = lent
        return ClosedGit(view, environment)

    def has(self, commit: CommitSha) -> bool:
        """Tell whether `commit` is here, with its trees: they come in one pack or not at all.

        Git is only asked about those that came with another: each start costs as much as all of
        the rest of a push's bookkeeping.
        """
        if not (self.directory / "view").is_dir():
            return False
        found = holds(self.directory / "objects", commit)
        if found is None or (found and not keeps(self.directory, commit)):
            return self._can_read(commit)
        return found

    def _can_read(self, commit: CommitSha) -> bool:
        try:
            self.view.cat_file("-e", f"{commit}^{{commit}}")
        except GitCommandError:
            return False
        return True

    def records(self, command: str, *arguments: str) -> Iterator[bytes]:
        """Start a reading git command, and return the NUL-terminated records that it prints.

        It works while the caller does something else. Dropping the iterator ends it: a tree of ten
        trees of ten trees ... is a few kilobytes to send and more paths than any memory holds.

        Raises:
            SourceUnavailable: git failed, because of a commit that was not fetched, say.

        """
        try:
            process = getattr(self.view, command)(*arguments, as_process=True)
        except CommandError as error:
            raise as_ours(error, self._name) from error
        return self._records(process)

    def _records(self, started: ClosedGit.AutoInterrupt) -> Iterator[bytes]:
        rest = b""
        try:
            with ending(started) as process:
                while piece := process.stdout.read(_PIECE_BYTES):
                    *records, rest = (rest + piece).split(b"\0")
                    yield from records
                process.wait()
        except CommandError as error:
            raise as_ours(error, self._name) from error

    def common_ancestor(self, one: CommitSha, other: CommitSha) -> CommitSha | None:
        """Return the newest commit that both build on, as far as both are here with theirs."""
        try:
            found: bytes = self.view.merge_base(one, other)
        except CommandError:
            return None
        return commit_sha(found.decode().strip())

    def fetch(self, commit: CommitSha) -> None:
        """Make `commit` available: no network if it is, one fetch if it is not.

        The first fetch brings the whole history without contents. Later ones are unfiltered,
        because against a known base git sends only the new trees and blobs, while a filtered one
        needs a second connection for the blobs (measured 1.5x at 30 ms round trip).

        Raises:
            CommitGone: the server does not have it.
            SourceUnavailable: it could not be asked.

        """
        if self.has(commit):
            os.utime(self.directory)  # for those who look for mirrors that nobody uses
            return
        with self._locked() as waited:
            if waited and self.has(commit):
                return
            try:
                self._fetch_commit(commit)
            except SourceUnavailable:
                if not self._discarded_if_damaged():
                    raise
                self._fetch_commit(commit)

    def mended(self, commit: CommitSha) -> bool:
        """Fetch `commit` anew if the mirror is gone or damaged; False if nothing is wrong here.

        Raises:
            CommitGone: the server does not have it.
            SourceUnavailable: it could not be asked.

        """
        with self._locked():
            if self.directory.is_dir() and not self._discarded_if_damaged():
                return False
        self.fetch(commit)
        return True

    def fetch_blobs(self, oids: Collection[str]) -> None:
        """Fetch exactly these blobs in one request.

        Raises:
            SourceUnavailable: the server did not give them.

        """
        with self._locked(), tempfile.TemporaryFile() as wanted:
            self._give_up_if_unreadable()
            self._make(len(next(iter(oids))))
            wanted.write("".join(f"{oid}\n" for oid in oids).encode())
            wanted.seek(0)
            try:
                # No negotiation: what we have says nothing about single blobs.
                self._fetch(
                    "--filter=blob:none",
                    "--stdin",
                    "origin",
                    istream=wanted,
                    config="fetch.negotiationAlgorithm=noop",
                )
            except CommandError as error:
                raise as_ours(error, self._name) from error

    def complete(self, oids: Collection[str]) -> None:
        """Have these blobs at hand, in at most one request.

        Raises:
            SourceUnavailable: the server did not give them.

        """
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{oid}\n" for oid in oids).encode())
            wanted.seek(0)
            try:
                found = self.view.cat_file("--batch-check", "--buffer", istream=wanted)
            except CommandError as error:
                raise as_ours(error, self._name) from error
        lines = bytes(found).decode().splitlines()
        if missing := [line.split()[0] for line in lines if line.endswith(" missing")]:
            self.fetch_blobs(missing)

    def borrow(self, others: Iterable["Mirror"]) -> None:
        """Let reading find what `others` hold, from now on and in other processes as well."""
        with self._locked():
            lend(self.directory, [each.directory.name for each in others])

    def read(
        self, oids: Collection[str], missing: list[str], take: Take[T]
    ) -> Iterator[tuple[str, T]]:
        """Yield what `take` makes of those of `oids` that are here; append others to `missing`.

        What `take` made of an object may be read from until the next one is asked for. Dropping
        the iterator ends the child.

        Raises:
            TreeRefused: `take` refused a file, named by its object id.
            SourceUnavailable: git failed on the mirror.

        """
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{oid}\n" for oid in oids).encode())
            wanted.seek(0)
            view = self.view
            view(c=_PIECEWISE)
            reader = view.cat_file("--batch", "--buffer", istream=wanted, as_process=True)
            with ending(reader) as process:
                stream = process.stdout
                for oid in oids:
                    header = stream.readline().split()
                    if header[1:] == [b"missing"]:
                        missing.append(oid)
                    elif len(header) == 3:  # noqa: PLR2004 - oid, type, size
                        size = int(header[2])
                        part = Part(stream, size, partial(self._broken_off, oid))
                        yield oid, take(oid, part, size)
                        part.skip()
                        # Printed last: what git has found wrong with a large object's end.
                        if stream.read(1) != b"\n":
                            raise self._broken_off(oid)
                    else:
                        raise self._broken_off(oid)

    def _broken_off(self, oid: str) -> SourceUnavailable:
        """Return the error for an object that git stumbled over, after a look at the mirror."""
        with self._locked():
            self._discarded_if_damaged()
        return SourceUnavailable(f"the mirror of {self._name} is damaged: git broke off at {oid}")

    def _fetch_commit(self, commit: CommitSha) -> None:
        self._make(len(commit))
        kept = ref_of(commit)
        # Ours alone while we hold the lock: left by a git that was killed at this point.
        (self.directory / f"{kept}.lock").unlink(missing_ok=True)
        haves = newest(self.directory, _MOST_HAVES)
        if haves and self._at_once(commit, haves):
            return
        how = ["--no-filter" if haves else "--filter=blob:none"]
        if not self._remote.history:
            how = ["--depth=1", "--filter=blob:none"]
        try:
            self._fetch(*how, "origin", f"+{commit}:{kept}")
        except CommandError as error:
            raise as_ours(error, self._name, commit) from error

    def _give_up_if_unreadable(self) -> None:
        """Remove a mirror whose newest commit cannot be read; call it with the lock held.

        Git would try to fetch that commit, and each of those fetches would need it too: without
        an end, as long as there are processes (git 2.39).
        """
        last = newest(self.directory, 1)
        if last and not self._can_read(CommitSha(last[0])):
            self._discarded_if_damaged()

    def _discarded_if_damaged(self) -> bool:
        """Remove the mirror if git finds it damaged; call it with the lock held."""
        environment = {
            **self._remote.environment,
            "GIT_DIR": str(self.directory),
            # What looks missing is promised, and must not be fetched for the sake of a look.
            "GIT_ALLOW_PROTOCOL": "none",
        }
        if not self.directory.is_dir():
            return False
        try:
            ClosedGit(self.directory, environment).fsck(
                "--no-dangling", "--no-progress", kill_after_timeout=FETCH_TIMEOUT_S
            )
        except CommandError as error:
            LOG.warning("mirror_damaged repository=%s status=%s", self._name, error.status)
        else:
            return False
        damaged = self.directory.with_suffix(".damaged")
        shutil.rmtree(damaged, ignore_errors=True)
        self.directory.rename(damaged)
        shutil.rmtree(damaged, ignore_errors=True)
        return True

    def _fetch(self, *arguments: str, istream: object = None, config: str | None = None) -> None:
        with self._remote.login() as login:
            environment = {**self._remote.environment, "GIT_DIR": str(self.directory), **login}
            repository = ClosedGit(self.directory, environment)
            if config is not None:
                repository(c=config)
            repository.fetch(
                *_FETCH_OPTIONS, *arguments, istream=istream, kill_after_timeout=FETCH_TIMEOUT_S
            )

    def _at_once(self, commit: CommitSha, haves: list[str]) -> bool:
        """Fetch by one request; False when git itself shall do it."""
        quick = self._remote.quick
        if quick is None:
            return False
        environment = self.view.environment()
        try:
            with quick(commit, haves) as pieces, tempfile.TemporaryFile() as pack:
                for piece in pieces:
                    pack.write(piece)
                pack.seek(0)
                # As a promisor's pack: its trees name contents that are not here.
                ClosedGit(self.directory / "view", environment).index_pack(
                    "--stdin", "--promisor", istream=pack
                )
        except (Unusual, CommandError) as error:
            LOG.info("git_shortcut_not_taken repository=%s reason=%s", self._name, error)
            return False
        if not holds(self.directory / "objects", commit):
            return False
        keep(self.directory, commit)
        return True

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the mirror's lock; yield whether somebody else had it before us."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with self.directory.with_suffix(".lock").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                waited = False
            except BlockingIOError:
                fcntl.flock(file, fcntl.LOCK_EX)
                waited = True
            yield waited

    def _make(self, oid_digits: int) -> None:
        """Make the mirror, complete or not at all; follow the repository to a new address."""
        config = self.directory / "config"
        text = configuration(self._remote.address, oid_digits)
        if not self.directory.is_dir():
            fresh = self.directory.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            lay_out(fresh, text)
            lay_out(fresh / "view", configuration(None, oid_digits))
            fresh.rename(self.directory)
        elif config.read_text() != text:
            replacement = self.directory / "config.new"
            replacement.write_text(text)
            replacement.replace(config)
