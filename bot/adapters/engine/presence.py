"""Several workers on one PostgreSQL: who is there, and what becomes of the work of who is not.

DBOS resumes a workflow where a process starts under the same executor id as the one that began
it, and nowhere else: two workers of one id repeat each other's running steps, and what a worker
of an id of its own left behind stays for good (docs/adr/0001). So each has an id of its own, and
says that it is there by a lock which PostgreSQL gives back the moment its connection ends:
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS

On SQLite there is one worker, and none of this.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
import structlog
from dbos import DBOS

from bot.adapters.engine import identities
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import Clock

BEAT = timedelta(seconds=2)

# A worker is gone when it was away for so long: one whose connection broke is back by then, with
# all that it works on.
GRACE = timedelta(seconds=10)

# Of a machine that went without a word, PostgreSQL learns by asking: 10 s + 3 * 5 s.
_ASKED_AFTER = (
    "SET tcp_keepalives_idle=10; SET tcp_keepalives_interval=5; SET tcp_keepalives_count=3"
)

log = structlog.get_logger()


def executor_of(database_url: str, data_dir: Path, new_id: Callable[[], str]) -> str:
    """Return the id under which the worker of a data directory works, made up on first sight.

    It stays over restarts, which is how a worker finds its own work again at once. Call it while
    the directory is held: see `lock`.
    """
    if not _is_postgresql(database_url):
        return identities.EXECUTOR
    file = data_dir / "worker.id"
    with suppress(FileNotFoundError):
        if known := file.read_text(encoding="ascii").strip():
            return known
    made = f"{identities.EXECUTOR}-{new_id()}"
    file.write_text(f"{made}\n", encoding="ascii")
    return made


class Presence:
    """This worker's lock, and its eye on the others'."""

    def __init__(self, database_url: str, executor: str, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        # A connection for the lock, and one to look at others.
        self._engine = sa.create_engine(database_url, pool_size=2, max_overflow=0)
        self._held: sa.Connection | None = None
        self._confirmed_s = 0.0  # when the lock was last known to be held
        self._missed_since_s: dict[str, float] = {}

    def announce(self) -> None:
        """Take the lock; before the engine starts, so that nobody takes our own work over.

        Raises:
            ConfigurationProblem: another worker of the same id holds it for all of `GRACE`.

        """
        until_s = self._clock.monotonic_s() + GRACE.total_seconds()
        while not self._take():
            if self._clock.monotonic_s() >= until_s:
                raise ConfigurationProblem(
                    "PREVIEWBOT_DATA_DIR",
                    f"a worker with a copy of this directory ({self._executor} in its worker.id) "
                    "works on the same database; delete that file in one of the two",
                )
            self._clock.sleep(BEAT)

    def watch(self, taken_over: Callable[[], None]) -> None:
        """Keep the lock and look at the others', in a thread, for the rest of the process.

        `taken_over` is called when there is work that was another worker's.
        """
        threading.Thread(
            target=self._watch, args=(taken_over,), name="presence", daemon=True
        ).start()

    def _watch(self, taken_over: Callable[[], None]) -> None:
        while True:
            self._clock.sleep(BEAT)
            try:
                if self._confirm() and self._take_over():
                    taken_over()
            except Exception as error:  # noqa: BLE001 - a thread's boundary; the next beat tries
                log.warning("presence_not_kept", problem=str(error))

    def _confirm(self) -> bool:
        """Tell whether the lock is held, after taking it again if it was lost."""
        if self._is_held():
            self._confirmed_s = self._clock.monotonic_s()
            return True
        away_s = self._clock.monotonic_s() - self._confirmed_s
        if not self._take():
            return False
        if away_s >= GRACE.total_seconds():
            # Others may do by now what we are in the middle of. Whoever keeps us alive starts us
            # anew, and what is still ours is then resumed.
            log.error("presence_lost", away_s=round(away_s))
            os._exit(1)
        return True

    def _is_held(self) -> bool:
        if self._held is None:
            return False
        try:
            self._held.exec_driver_sql("SELECT 1")
        except sa.exc.DBAPIError:
            self._held.invalidate()
            self._held.close()
            self._held = None
            return False
        return True

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(_ASKED_AFTER)
            taken = connection.scalar(
                sa.select(sa.func.pg_try_advisory_lock(_key(self._executor)))
            )
        except BaseException:
            connection.close()
            raise
        if not taken:
            connection.close()
            return False
        self._held, self._confirmed_s = connection, self._clock.monotonic_s()
        return True

    def _take_over(self) -> int:
        """Put the work of those that are gone back into its queues; return how much."""
        found = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        others = {each.executor_id for each in found if each.executor_id} - {self._executor}
        for known in self._missed_since_s.keys() - others:
            del self._missed_since_s[known]
        return sum(map(self._work_of, sorted(others)))

    def _work_of(self, executor: str) -> int:
        """Put back the work of one that was away for `GRACE`; under its lock, and so only once."""
        with self._engine.begin() as connection:
            gone = connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_key(executor))))
            if not gone:
                self._missed_since_s.pop(executor, None)
                return 0
            now_s = self._clock.monotonic_s()
            since_s = self._missed_since_s.setdefault(executor, now_s)
            if now_s - since_s < GRACE.total_seconds():
                return 0
            left = DBOS.list_workflows(
                status="PENDING", executor_id=executor, load_input=False, load_output=False
            )
            for workflow in left:
                DBOS.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name)
        log.warning("work_taken_over", of=executor, workflows=len(left))
        return len(left)


def presence_of(database_url: str, executor: str, clock: Clock) -> Presence | None:
    """Return the presence of a worker on PostgreSQL; None where there can be only one."""
    return Presence(database_url, executor, clock) if _is_postgresql(database_url) else None


def _is_postgresql(database_url: str) -> bool:
    return sa.make_url(database_url).get_backend_name() == "postgresql"


def _key(executor: str) -> int:
    """Return the number of an executor's lock: 64 bits with a sign, as PostgreSQL has them."""
    digest = hashlib.sha256(f"previewbot worker\0{executor}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
