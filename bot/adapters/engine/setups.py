"""The set-up's hand-over on DBOS: code and queue entry live or die in one transaction."""

from collections.abc import Callable
from typing import Protocol

import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from bot.adapters.engine import identities
from bot.ports.setups import Setup


class Attempts(Protocol):
    """The table of attempts; `bot.adapters.storage.setups.SetupTable` is one."""

    def open(self, state: str) -> None:
        """Begin an attempt."""
        ...

    def take(self, connection: sa.Connection, state: str, code: str) -> str | None:
        """Keep `code` and return the attempt's key; None when `state` is not good."""
        ...

    def find(self, state: str) -> Setup | None:
        """Return the attempt of `state`."""
        ...


class DurableSetups:
    """Implements `bot.ports.setups.Setups`, for the web process."""

    def __init__(self, *, write: sa.Engine, attempts: Attempts, wake: Callable[[], None]) -> None:
        """Use the engine of one database, ours and DBOS's; `wake` is called after a commit."""
        self._write = write
        self._attempts = attempts
        self._wake = wake
        self._client = DBOSClient(
            system_database_engine=write, application_name=identities.APPLICATION, lazy=True
        )

    def open(self, state: str) -> None:
        """Begin an attempt."""
        self._attempts.open(state)

    def take(self, state: str, code: str) -> bool:
        """Hand `code` over to the worker; False when `state` is unknown, used or too old."""
        options: EnqueueOptions = {
            "workflow_name": identities.SETUP,
            "queue_name": identities.SETUP,
            "app_version": identities.APPLICATION_VERSION,
        }
        with self._write.begin() as connection:
            key = self._attempts.take(connection, state, code)
            if key is None:
                return False
            options["workflow_id"] = f"setup/{key}"
            options["queue_partition_key"] = "setup"
            self._client.enqueue_in_transaction(connection, options, key)
        self._wake()
        return True

    def find(self, state: str) -> Setup | None:
        """Return the attempt of `state` as it stands."""
        return self._attempts.find(state)
