"""Processes of git that wait for commits to compare, because starting one takes longer than that.

`git diff-tree --stdin` answers one line after another, and repeats a line that names no object: so
an answer is known to be whole when the line that was sent behind the question comes back.
https://git-scm.com/docs/git-diff-tree#Documentation/git-diff-tree.txt---stdin
"""

import subprocess
import weakref
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

from git.exc import CommandError

from bot.adapters.git.commands import ClosedGit, ending
from bot.adapters.git.mirror import Mirror
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import CommitSha

# How many wait. Each has a few megabytes.
MOST_WAITING = 4

# After so many questions one is let go, and with it all that it remembers and has complained of.
MOST_QUESTIONS = 100

# Of the trees that differences were taken from. Git's own default is 96 MiB, for one command.
_CACHE_BYTES = 4 * 1024 * 1024

_DONE = b"done\n"
_PIECE_BYTES = 64 * 1024


class Comparing:
    """At most one waiting process for each of the mirrors that were used last.

    They end with it, if it is not closed before.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: OrderedDict[Path, _Process] = OrderedDict()
        self._lock = Lock()
        weakref.finalize(self, _end_all, self._waiting)

    def differences(
        self, mirror: Mirror, old: CommitSha, new: CommitSha
    ) -> Generator[bytes, None, None]:
        """Yield the records of `diff-tree -r -z --no-renames` between two commits of `mirror`.

        Dropping the iterator ends the process.

        Raises:
            SourceUnavailable: one of them was not fetched, or git failed.

        """
        process = self._taken(mirror)
        whole = False
        try:
            yield from process.differences(old, new)
            whole = True
        finally:
            if whole:
                self._put_back(mirror.directory, process)
            else:
                process.end()

    def close(self) -> None:
        """End those that wait."""
        with self._lock:
            _end_all(self._waiting)

    def _taken(self, mirror: Mirror) -> "_Process":
        with self._lock:
            found = self._waiting.pop(mirror.directory, None)
        if found is not None and found.has_ended():
            found.end()
            found = None
        return found or _Process(mirror)

    def _put_back(self, directory: Path, process: "_Process") -> None:
        """Keep a process, and let another one go for it."""
        spare: _Process | None = process
        if process.questions < MOST_QUESTIONS:
            with self._lock:
                spare = self._waiting.pop(directory, None)
                self._waiting[directory] = process
                if len(self._waiting) > MOST_WAITING:
                    _, spare = self._waiting.popitem(last=False)
        if spare is not None:
            spare.end()


def _end_all(waiting: "OrderedDict[Path, _Process]") -> None:
    while waiting:
        _, process = waiting.popitem()
        process.end()


class _Process:
    """One git, on the view of one mirror."""

    def __init__(self, mirror: Mirror) -> None:
        view = mirror.view
        view(c=f"core.deltaBaseCacheLimit={_CACHE_BYTES}")
        try:
            self._git: ClosedGit.AutoInterrupt = view.diff_tree(
                *("--stdin", "--always", "-r", "-z", "--no-renames", "--raw"),
                istream=subprocess.PIPE,
                as_process=True,
            )
        except CommandError as error:
            raise _unavailable(error) from error
        self.questions = 0

    def differences(self, old: CommitSha, new: CommitSha) -> Iterator[bytes]:
        self.questions += 1
        if len(old) != len(new):  # git would compare with nothing
            raise _incomparable(old, new)
        try:
            self._git.stdin.write(f"{new} {old}\n".encode() + _DONE)
            self._git.stdin.flush()
        except OSError as error:
            raise _unavailable(error) from error
        records = self._records()
        if next(records, b"") != new.encode():  # by --always it names each that it has
            raise _incomparable(old, new)
        yield from records

    def has_ended(self) -> bool:
        return self._git.proc is None or self._git.proc.poll() is not None

    def end(self) -> None:
        with suppress(OSError), ending(self._git):  # a question that was not taken
            pass

    def _records(self) -> Iterator[bytes]:
        """Yield the commit, and then facts and path of each difference by turns."""
        rest, count = b"", 0
        # Facts begin with a colon, but a path may be anything: where one is due, that is no end.
        while rest != _DONE or (count > 0 and count % 2 == 0):
            piece = self._git.stdout.read1(_PIECE_BYTES)
            if not piece:
                raise SourceUnavailable("git ended before its answer did")
            *records, rest = (rest + piece).split(b"\0")
            yield from records
            count += len(records)


def _incomparable(old: CommitSha, new: CommitSha) -> SourceUnavailable:
    return SourceUnavailable(f"git cannot compare {old} with {new}")


def _unavailable(error: Exception) -> SourceUnavailable:
    return SourceUnavailable(f"git could not be asked to compare commits: {error}")
