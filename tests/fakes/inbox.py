"""An inbox with memory: what was delivered, and what would run next."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

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
        self.repeats: list[tuple[DeliveryKey, int]] = []  # the same, after so many that failed
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
                again_at=None,
                deployments=tuple(one.deployment for one in queued),
            )
        self.deployments += [one for one in queued if one not in self.deployments]

    def put_off(self, key: DeliveryKey, *, tries: int, problem: str, again_at: datetime) -> None:
        record = self.records[key]
        if record.reason is None and record.tries < tries:
            self.records[key] = replace(record, tries=tries, problem=problem, again_at=again_at)

    def repeat_due(self, now: datetime) -> int:
        due = [
            record
            for record in self.records.values()
            if record.again_at is not None and record.again_at <= now
        ]
        for record in due:
            self.records[record.key] = replace(record, again_at=None)
            self.repeats.append((record.key, record.tries))
        return len(due)

    def find(self, guid: str) -> list[DeliveryRecord]:
        return [record for key, record in self.records.items() if key.guid == guid]
