"""The inbox on DBOS: our rows and the engine's queue entry live or die in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from bot.adapters.engine import identities
from bot.core.model.decisions import Decision, Ignored
from bot.core.model.events import partition_of
from bot.core.model.ids import DeliveryKey
from bot.ports.inbox import DeliveryRecord, DueIntake, QueuedDeployment, Received


class Deliveries(Protocol):
    """The table of deliveries; `bot.adapters.storage.deliveries` is one."""

    def insert(self, connection: sa.Connection, received: Received) -> DeliveryRecord | None:
        """Store a delivery; return None when it is new, else what the first one led to."""
        ...

    def decide(
        self,
        connection: sa.Connection,
        key: DeliveryKey,
        decision: Decision,
        deployments: Sequence[str],
    ) -> None:
        """Store the decision about a delivery; the first one stands."""
        ...

    def put_off(
        self,
        connection: sa.Connection,
        key: DeliveryKey,
        *,
        tries: int,
        problem: str,
        again_at: datetime,
    ) -> None:
        """Store that the intake failed for the `tries`-th time, unless that is known."""
        ...

    def take_due(self, connection: sa.Connection, now: datetime) -> Sequence[DueIntake]:
        """Return the deliveries whose time has come, oldest first; each is returned once."""
        ...

    def find(self, connection: sa.Connection, guid: str) -> list[DeliveryRecord]:
        """Return the deliveries with this GUID."""
        ...


class DurableInbox:
    """Durable hand-over, for web and worker alike; implements `bot.ports.inbox.Inbox`."""

    def __init__(
        self,
        *,
        read: sa.Engine,
        write: sa.Engine,
        deliveries: Deliveries,
        wake: Callable[[], None],
    ) -> None:
        """Use the engines of one database, ours and DBOS's; `wake` is called after a commit."""
        self._read = read
        self._write = write
        self._deliveries = deliveries
        self._wake = wake
        self._client = DBOSClient(
            system_database_engine=write,
            application_name=identities.APPLICATION,
            lazy=True,  # opens no connection here, so that it may be built before a fork
        )

    def put(self, received: Received) -> DeliveryRecord | None:
        """Store the delivery and enqueue its intake, or store it with the reason to ignore it.

        Return None when it is new, else what the first one led to so far.
        """
        with self._write.begin() as connection:
            existing = self._deliveries.insert(connection, received)
            if existing is not None or isinstance(received.verdict, Ignored):
                return existing
            self._enqueue(
                connection,
                identities.INTAKE,
                identities.intake_id(received.key),
                partition_of(received.verdict),
                received.key.hook,
                received.key.guid,
            )
        self._wake()
        return None

    def decided(
        self, key: DeliveryKey, decision: Decision, queued: Sequence[QueuedDeployment]
    ) -> None:
        """Store the decision and enqueue its deployments; harmless when repeated."""
        with self._write.begin() as connection:
            deployments = [one.deployment for one in queued]
            self._deliveries.decide(connection, key, decision, deployments)
            for one in queued:
                self._enqueue(
                    connection,
                    identities.DEPLOY,
                    identities.deploy_id(one),
                    one.preview,
                    one.deployment,
                )
        if queued:
            self._wake()

    def put_off(self, key: DeliveryKey, *, tries: int, problem: str, again_at: datetime) -> None:
        """Store that the intake failed for the `tries`-th time, to be repeated at `again_at`."""
        with self._write.begin() as connection:
            self._deliveries.put_off(
                connection, key, tries=tries, problem=problem, again_at=again_at
            )

    def repeat_due(self, now: datetime) -> int:
        """Enqueue the intakes that were put off until `now` or before; return how many."""
        with self._write.begin() as connection:
            due = self._deliveries.take_due(connection, now)
            for each in due:
                self._enqueue(
                    connection,
                    identities.INTAKE,
                    identities.intake_id(each.key, each.tries),
                    partition_of(each.event),
                    each.key.hook,
                    each.key.guid,
                    each.tries,
                )
        if due:
            self._wake()
        return len(due)

    def find(self, guid: str) -> list[DeliveryRecord]:
        """Return the deliveries with this GUID, one per hook that sent it."""
        with self._read.connect() as connection:
            return self._deliveries.find(connection, guid)

    def _enqueue(
        self,
        connection: sa.Connection,
        name: str,
        key: str,
        partition: str,
        *arguments: str | int,
    ) -> None:
        """Add a workflow to the queue of its name; one with the same key is left as it is."""
        options: EnqueueOptions = {
            "workflow_name": name,
            "queue_name": name,
            "workflow_id": key,
            "queue_partition_key": partition,
            "app_version": identities.APPLICATION_VERSION,
        }
        self._client.enqueue_in_transaction(connection, options, *arguments)
