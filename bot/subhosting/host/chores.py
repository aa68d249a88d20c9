"""What the host does for others now and then: copies of databases, certificates asked for.

The database says what is due, so a chore that a crash interrupted is done by the next host.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial

from bot.kernel.clock import Clock
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.store import backups as backup_rows
from bot.subhosting.store import domains as domain_rows
from bot.subhosting.store.engine import Database

LOG = logging.getLogger(__name__)

# Each may wait for a slow server for minutes.
_AT_ONCE = 4


class Chores:
    """Finds what is due and does it in threads, each thing once at a time."""

    def __init__(self, config: SubhostingConfig, clock: Clock) -> None:
        """Begin idle."""
        self._config = config
        self._clock = clock
        self._database = Database(config.database)
        self._places = threading.Semaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def look(self) -> None:
        """Begin whatever is due; returns at once."""
        _in_thread(self._look)

    def _look(self) -> None:
        try:
            self._begin_due()
        except Exception:
            # The boundary of a job; the next scan looks again.
            LOG.exception("chores_not_read")

    def _begin_due(self) -> None:
        before = self._clock.now() - self._config.backup_every
        with self._database.reading() as connection:
            due = backup_rows.due(connection, before)
            awaiting = domain_rows.awaiting_certificates(connection)
        if not due and not awaiting:
            return
        # An HTTP client, a resolver and a library of ciphers: 25 MB that most hosts never need.
        from bot.subhosting.service import backups, certificates  # noqa: PLC0415
        from bot.subhosting.service.services import services_for  # noqa: PLC0415

        services = services_for(self._config)
        for backup in due:
            self._begin(backup.id, partial(backups.make, services, backup))
        for domain in awaiting:
            self._begin(domain.id, partial(certificates.look, services, domain))

    def _begin(self, name: str, chore: "Callable[[], None]") -> None:
        with self._lock:
            if name in self._under_way:
                return
            self._under_way.add(name)

        def run() -> None:
            try:
                with self._places:
                    chore()
            except Exception:
                # The boundary of a job; it is still due, and the next scan begins it again.
                LOG.exception("chore_broke id=%s", name)
            finally:
                with self._lock:
                    self._under_way.discard(name)

        _in_thread(run)


def _in_thread(work: Callable[[], None]) -> None:
    # Daemons, which end with the process: a slow bucket must not hold up a restart.
    threading.Thread(target=work, daemon=True, name="subhosting-chore").start()
