"""Keeping mirrors small, quick and few, off the road that pushes take.

Every push adds one pack and one ref. Many packs make each read slower (13% at 81 of them), so now
and then they become one; and mirrors that nobody used for longest go when all together are larger
than their quota. A mirror that is gone costs its next push one first fetch.
"""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from git.exc import CommandError

from bot.adapters.git.commands import ClosedGit
from bot.adapters.git.kept import KEPT

LOG = logging.getLogger(__name__)

# `repack` of 40 pushes took 60 ms; half of that many packs cost a read less than it can notice.
MANY_PACKS = 20

# Commits of long ago: what is deployed from them is never read from here again.
MOST_REFS = 200

# A large mirror is repacked in one go, while nobody waits for it.
_REPACK_TIMEOUT_S = 900.0


# A mirror on its way out or in, which a process that was killed has left: renamed and not yet
# deleted by us or by `bot.adapters.git.mirror`, or not yet whole.
_LEFT_OVER = ("*.gone", "*.damaged", "*.new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What was done."""

    swept: tuple[str, ...] = ()
    repacked: tuple[str, ...] = ()
    evicted: tuple[str, ...] = ()


def tend(
    directory: Path,
    environment: Mapping[str, str],
    *,
    quota_bytes: int,
    spared_since_s: float,
) -> Tended:
    """Sweep what crashes left, repack mirrors with many packs, and keep all within the quota.

    The least recently used ones beyond it are removed.

    A mirror that is being fetched into, or was used after `spared_since_s` (seconds of the
    epoch), is not removed: readers hold no lock.
    """
    left_over = sorted(each for pattern in _LEFT_OVER for each in directory.glob(pattern))
    swept = [each.name for each in left_over if _swept(each)]
    mirrors = sorted(directory.glob("*.git"), key=_used)
    repacked = [each.name for each in mirrors if _repacked(each, environment)]
    sizes = {each: _size(each) for each in mirrors}
    evicted: list[str] = []
    total = sum(sizes.values())
    for each in mirrors:
        if total <= quota_bytes or _used(each) > spared_since_s:
            break
        if _removed(each):
            total -= sizes[each]
            evicted.append(each.name)
    return Tended(swept=tuple(swept), repacked=tuple(repacked), evicted=tuple(evicted))


def _swept(left_over: Path) -> bool:
    """Remove what nobody is at work on: whoever makes or removes a mirror holds its lock."""
    with _not_in_use(left_over) as free:
        if free:
            shutil.rmtree(left_over, ignore_errors=True)
    return not left_over.exists()


def _used(mirror: Path) -> float:
    return mirror.stat().st_mtime


def _repacked(mirror: Path, environment: Mapping[str, str]) -> bool:
    if len(list((mirror / "objects" / "pack").glob("*.pack"))) < MANY_PACKS:
        return False
    used = _used(mirror)
    with _not_in_use(mirror) as free:
        if not free:
            return False
        _forget_old_refs(mirror)
        for left_over in (mirror / "objects" / "pack").glob("tmp_*"):
            left_over.unlink()  # of a git that was killed; nobody else writes while we hold it
        # No protocol at all: whatever looks missing is promised, and must not be fetched.
        closed = {**environment, "GIT_DIR": str(mirror), "GIT_ALLOW_PROTOCOL": "none"}
        try:
            ClosedGit(mirror, closed).repack(
                "-a",
                "-d",
                "--quiet",
                "--no-write-bitmap-index",
                kill_after_timeout=_REPACK_TIMEOUT_S,
            )
        except CommandError as error:
            LOG.warning("mirror_not_repacked mirror=%s status=%s", mirror.name, error.status)
            return False
        os.utime(mirror, (used, used))
    return True


def _forget_old_refs(mirror: Path) -> None:
    refs = sorted((mirror / KEPT).glob("*"), key=lambda ref: ref.stat().st_mtime)
    for ref in refs[:-MOST_REFS]:
        ref.unlink()


def _removed(mirror: Path) -> bool:
    with _not_in_use(mirror) as free:
        if not free:
            return False
        # Renamed first: whoever looks now finds a whole mirror or none.
        gone = mirror.with_suffix(".gone")
        shutil.rmtree(gone, ignore_errors=True)
        mirror.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    return True


def _size(mirror: Path) -> int:
    """Return the bytes of a mirror's files; one that vanishes meanwhile counts as nothing."""
    total = 0
    for folder, _, names in os.walk(mirror):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


@contextmanager
def _not_in_use(mirror: Path) -> Iterator[bool]:
    """Hold the mirror's lock if nobody else does; yield whether we do."""
    with mirror.with_suffix(".lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
