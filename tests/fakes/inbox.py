"""An inbox with memory: what was delivered, and what would run next."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.model.decisions import Decision, Ignored
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import DeliveryKey
from bot.ports.inbox import DeliveryRecord, QueuedDeployment, Received


class FakeInbox:
    """Implements `bot.ports.inbox.Inbox`; nothing is run."""

    def __init__(self) -> None:
        self.received: dict[DeliveryKey, Received] = {}
        self.records: dict[DeliveryKey, DeliveryRecord] = {}
        self.decisions: dict[DeliveryKey, Decision] = {}  # the first about each stands
        self.intakes: list[DeliveryKey] = []  # in order of enqueueing, each once
        self.deployments: list[QueuedDeployment] = []  # the same

    def put(self, received: Received) -> DeliveryRecord | None:
        if received.key in self.records:
            return self.records[received.key]
        ignored = received.verdict if isinstance(received.verdict, Ignored) else None
        self.received[received.key] = received
        self.records[received.key] = DeliveryRecord(
            key=received.key,
            event_name=received.event_name,
            received_at=received.received_at,
            reason=None if ignored is None else str(ignored.reason),
            detail=None if ignored is None else ignored.detail,
        )
        if ignored is None:
            self.intakes.append(received.key)
        return None

    def decided(
        self, key: DeliveryKey, decision: Decision, queued: Sequence[QueuedDeployment]
    ) -> None:
        record = self.records.get(key)
        if record is None:
            raise RecordNotFound("delivery", f"{key.hook}/{key.guid}")
        self.decisions.setdefault(key, decision)
        if record.reason is None:
            self.records[key] = replace(
                record,
                reason=str(decision.reason),
                detail=decision.detail,
                deployments=tuple(one.deployment for one in queued),
            )
        self.deployments += [one for one in queued if one not in self.deployments]

    def find(self, guid: str) -> list[DeliveryRecord]:
        return [record for key, record in self.records.items() if key.guid == guid]
