"""Durable hand-over: a delivery to its intake, a decision to its deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.model.decisions import Decision, Ignored
from bot.core.model.events import Event
from bot.core.model.ids import DeliveryKey, Generation, PreviewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A delivery as it is stored."""

    key: DeliveryKey
    event_name: str  # the X-GitHub-Event header
    body: bytes  # raw, as signed
    verdict: Event | Ignored
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What is known of a stored delivery; reason and detail are None until it was decided."""

    key: DeliveryKey
    event_name: str
    received_at: datetime
    reason: str | None
    detail: str | None
    deployments: tuple[str, ...] = ()
    tries: int = 0  # how often its intake failed so far
    problem: str | None = None  # what kept the last one from deciding
    again_at: datetime | None = None  # when the next one is to begin, unless it has


@dataclass(frozen=True, slots=True, kw_only=True)
class DueIntake:
    """An intake that failed and is to be repeated now."""

    key: DeliveryKey
    event: Event
    tries: int  # that failed


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDeployment:
    """A deployment to be run: one of its preview at a time, in order of generation."""

    deployment: str
    preview: PreviewId
    generation: Generation


class Inbox(Protocol):
    """The durable queues; each method is one transaction."""

    def put(self, received: Received) -> DeliveryRecord | None:
        """Store the delivery and enqueue its intake, or store it with the reason to ignore it.

        Return None when it is new, else what the first one led to so far.
        """
        ...

    def decided(
        self, key: DeliveryKey, decision: Decision, queued: Sequence[QueuedDeployment]
    ) -> None:
        """Store the decision and enqueue its deployments; harmless when repeated."""
        ...

    def put_off(self, key: DeliveryKey, *, tries: int, problem: str, again_at: datetime) -> None:
        """Store that the intake failed for the `tries`-th time, to be repeated at `again_at`.

        Harmless when repeated, and nothing happens where the delivery is decided about.
        """
        ...

    def repeat_due(self, now: datetime) -> int:
        """Enqueue the intakes that were put off until `now` or before; return how many."""
        ...

    def find(self, guid: str) -> list[DeliveryRecord]:
        """Return the deliveries with this GUID, one per hook that sent it."""
        ...
