"""One worker per data directory: a second one under the same name would repeat running steps."""

import fcntl
import os
from contextlib import suppress
from datetime import timedelta
from io import TextIOWrapper
from pathlib import Path

from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import Clock

# A predecessor that was asked to stop hands its work back within `worker.STOP_PATIENCE`.
PATIENCE = timedelta(seconds=8)
_RETRY = timedelta(milliseconds=50)


def hold(path: Path, clock: Clock, *, patience: timedelta = PATIENCE) -> TextIOWrapper:
    """Take the lock file and return it; the lock lasts until it is closed or the process ends.

    Raises:
        ConfigurationProblem: another process held it for all of `patience`.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a+", encoding="ascii")
    deadline_s = clock.monotonic_s() + patience.total_seconds()
    while not _try_lock(lock):
        if clock.monotonic_s() >= deadline_s:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            problem = (
                f"another worker (pid {holder}) works in {path.parent}; stop it first, or give "
                "this one a data directory of its own"
            )
            raise ConfigurationProblem("PREVIEWBOT_DATA_DIR", problem)
        clock.sleep(_RETRY)
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _try_lock(lock: TextIOWrapper) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
