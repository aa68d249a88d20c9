"""The inbox with memory, on top of the real table of deliveries: what is decided was stored."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from typing_extensions import override

from bot.adapters.storage import deliveries, tables
from bot.core.model.decisions import Decision, Ignored
from bot.core.model.ids import DeliveryKey
from bot.ports.inbox import DeliveryRecord, QueuedDeployment, Received
from tests.fakes.inbox import FakeInbox


class StoredInbox(FakeInbox):
    """Writes every delivery and decision to SQLite in memory, and hands out what that gives back.

    Text that a database does not take, and an event that is not the same after a way through
    JSON, show here as they would in the running bot.
    """

    def __init__(self) -> None:
        super().__init__()
        engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        tables.metadata.create_all(engine, [tables.deliveries])
        self._connection = engine.connect()

    @override
    def put(self, received: Received) -> DeliveryRecord | None:
        repeated = deliveries.insert(self._connection, received)
        super().put(received)
        if repeated is None and not isinstance(received.verdict, Ignored):
            stored = deliveries.load(self._connection, received.key)
            assert (stored.event, stored.body) == (received.verdict, received.body)
            self.received[received.key] = replace(received, verdict=stored.event)
        return repeated

    @override
    def decided(
        self, key: DeliveryKey, decision: Decision, queued: Sequence[QueuedDeployment]
    ) -> None:
        super().decided(key, decision, queued)
        deliveries.decide(self._connection, key, decision, [one.deployment for one in queued])

    def reason(self, key: DeliveryKey) -> str | None:
        """Return why the delivery led to what it did, None when it was not decided or stored."""
        found = deliveries.find(self._connection, key.guid)
        return next((record.reason for record in found if record.key == key), None)

    def forget(self) -> None:
        """Be as new."""
        self._connection.execute(sa.delete(tables.deliveries))
        self._connection.commit()
        for kept in (self.received, self.records, self.decisions):
            kept.clear()
        self.intakes.clear()
        self.deployments.clear()
