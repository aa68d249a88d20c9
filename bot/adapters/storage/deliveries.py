"""Deliveries and what they led to.

Functions take the connection, so that the engine can enqueue in the same transaction; bootstrap
hands it this module (`bot.adapters.engine.inbox.Deliveries` is the shape it must have).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.storage import tables
from bot.adapters.storage.upsert import insert_ignoring
from bot.core.model.decisions import Decision, Ignored, Reason
from bot.core.model.errors import RecordNotFound
from bot.core.model.events import Event
from bot.core.model.ids import DeliveryGuid, DeliveryKey, HookId
from bot.ports.inbox import DeliveryRecord, DueIntake, Received

# By the name of the class, which therefore stays what it is.
_EVENTS: dict[str, TypeAdapter[Event]] = {
    kind.__name__: TypeAdapter(kind) for kind in get_args(Event)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """What intake works on: the event, and the delivery as it came."""

    event_name: str
    body: bytes
    event: Event
    received_at: datetime


def insert(connection: sa.Connection, received: Received) -> DeliveryRecord | None:
    """Store a delivery; return None when it is new, else what the first one led to."""
    ignored = received.verdict if isinstance(received.verdict, Ignored) else None
    event = None if isinstance(received.verdict, Ignored) else received.verdict
    addition = insert_ignoring(connection, tables.deliveries).values(
        hook=received.key.hook,
        guid=received.key.guid,
        event_name=received.event_name,
        body=received.body,
        received_at=received.received_at,
        event_kind=event and type(event).__name__,
        event=event and _EVENTS[type(event).__name__].dump_python(event, mode="json"),
        reason=ignored and str(ignored.reason),
        detail=ignored and ignored.detail,
        deployments=[],
    )
    # Not `rowcount`: psycopg leaves it at -1 for an INSERT that returns its key.
    added = addition.returning(tables.deliveries.c.number)
    if connection.scalar(added) is not None:
        return None
    return next(iter(_records(connection, _is(received.key))))


def decide(
    connection: sa.Connection,
    key: DeliveryKey,
    decision: Decision,
    deployments: Sequence[str],
) -> None:
    """Store the decision about a delivery; the first one stands.

    An intake that is repeated after a crash finds its own work done ("already handled"), which
    would be a wrong answer to what the delivery led to.

    Raises:
        RecordNotFound: there is no such delivery.

    """
    changed = connection.execute(
        sa.update(tables.deliveries)
        .where(_is(key), tables.deliveries.c.reason.is_(None))
        .values(
            reason=str(decision.reason),
            detail=decision.detail,
            deployments=list(deployments),
            again_at=None,
        )
    ).rowcount
    if not changed and not _records(connection, _is(key)):
        raise RecordNotFound("delivery", f"{key.hook}/{key.guid}")


def put_off(
    connection: sa.Connection, key: DeliveryKey, *, tries: int, problem: str, again_at: datetime
) -> None:
    """Store that the intake failed for the `tries`-th time, unless that is known.

    By the number of tries: an intake that failed and is resumed after a crash fails again.
    """
    table = tables.deliveries
    connection.execute(
        sa.update(table)
        .where(_is(key), table.c.reason.is_(None), table.c.tries < tries)
        .values(tries=tries, problem=problem, again_at=again_at)
    )


def take_due(connection: sa.Connection, now: datetime) -> list[DueIntake]:
    """Return the deliveries whose time has come, oldest first; each is returned once."""
    table = tables.deliveries
    columns = (table.c.number, table.c.hook, table.c.guid, table.c.event_kind, table.c.event)
    rows = connection.execute(
        sa.select(*columns, table.c.tries)
        .where(table.c.again_at.is_not(None), table.c.again_at <= now)
        .order_by(table.c.number)
        .with_for_update()
    ).all()
    numbers = [row.number for row in rows]
    connection.execute(sa.update(table).where(table.c.number.in_(numbers)).values(again_at=None))
    return [
        DueIntake(
            key=DeliveryKey(hook=HookId(row.hook), guid=DeliveryGuid(row.guid)),
            event=_EVENTS[row.event_kind].validate_python(row.event),
            tries=row.tries,
        )
        for row in rows
    ]


def find(connection: sa.Connection, guid: str) -> list[DeliveryRecord]:
    """Return the deliveries with this GUID, one per hook that sent it, first received first."""
    return _records(connection, tables.deliveries.c.guid == guid)


def put_off_now(connection: sa.Connection) -> list[DeliveryRecord]:
    """Return the deliveries that could not be decided about so far, first received first."""
    table = tables.deliveries
    return _records(connection, sa.and_(table.c.reason.is_(None), table.c.tries > 0))


def ended_with(connection: sa.Connection, reason: Reason, since: datetime) -> list[DeliveryRecord]:
    """Return the deliveries received since then that ended so, first received first."""
    table = tables.deliveries
    wanted = sa.and_(table.c.reason == str(reason), table.c.received_at >= since)
    return _records(connection, wanted)


def load(connection: sa.Connection, key: DeliveryKey) -> StoredDelivery:
    """Return the event of a delivery, and the delivery as it came.

    Raises:
        RecordNotFound: there is no such delivery, or it was no event for us.

    """
    table = tables.deliveries
    columns = (table.c.event_name, table.c.body, table.c.event_kind, table.c.event)
    query = sa.select(*columns, table.c.received_at).where(
        _is(key), table.c.event_kind.is_not(None)
    )
    row = connection.execute(query).first()
    if row is None:
        raise RecordNotFound("event of delivery", f"{key.hook}/{key.guid}")
    return StoredDelivery(
        event_name=row.event_name,
        body=bytes(row.body),
        event=_EVENTS[row.event_kind].validate_python(row.event),
        received_at=row.received_at,
    )


def _is(key: DeliveryKey) -> sa.ColumnElement[bool]:
    return sa.and_(tables.deliveries.c.hook == key.hook, tables.deliveries.c.guid == key.guid)


def _records(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[DeliveryRecord]:
    table = tables.deliveries
    columns = [column for column in table.c if column.name not in {"body", "event"}]
    rows = connection.execute(sa.select(*columns).where(condition).order_by(table.c.number))
    return [
        DeliveryRecord(
            key=DeliveryKey(hook=HookId(row.hook), guid=DeliveryGuid(row.guid)),
            event_name=row.event_name,
            received_at=row.received_at,
            reason=row.reason,
            detail=row.detail,
            deployments=tuple(row.deployments),
            tries=row.tries,
            problem=row.problem,
            again_at=row.again_at,
        )
        for row in rows
    ]
