"""The parts of the engine that need no process: atomicity, the lock, the bell, the stop."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa
from dbos import DBOSClient
from typing_extensions import override

from bot.adapters.engine import lock, schema
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.stopping import StopSignal
from bot.adapters.engine.wake import Bell, ring
from bot.adapters.storage import connect, deliveries
from bot.core.model.decisions import Decision, Ignored, Reason
from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import DeliveryKey, Generation, PreviewId
from bot.ports.inbox import DeliveryRecord, DueIntake, QueuedDeployment, Received
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.deliveries import key
from tests.integration.engine.conftest import delivery

NO_TIME = timedelta(0)
A_WHILE_S = 30  # never reached by a test that passes


class DiskFull(Exception):  # noqa: N818 - plays the operating system
    pass


class FailingDeliveries:
    """The real table, failing at the end of each statement."""

    def insert(self, connection: sa.Connection, received: Received) -> DeliveryRecord | None:
        deliveries.insert(connection, received)
        raise DiskFull

    def decide(
        self,
        connection: sa.Connection,
        key: DeliveryKey,
        decision: Decision,
        deployments: Sequence[str],
    ) -> None:
        deliveries.decide(connection, key, decision, deployments)

    def put_off(
        self,
        connection: sa.Connection,
        key: DeliveryKey,
        *,
        tries: int,
        problem: str,
        again_at: datetime,
    ) -> None:
        deliveries.put_off(connection, key, tries=tries, problem=problem, again_at=again_at)

    def take_due(self, connection: sa.Connection, now: datetime) -> list[DueIntake]:
        deliveries.take_due(connection, now)
        raise DiskFull

    def find(self, connection: sa.Connection, guid: str) -> list[DeliveryRecord]:
        return deliveries.find(connection, guid)


def refuse_to_ring() -> NoReturn:
    pytest.fail("nothing was committed, so nobody may be woken")


def failing_inbox(engines: connect.Engines) -> DurableInbox:
    return DurableInbox(
        read=engines.read,
        write=engines.write,
        deliveries=FailingDeliveries(),
        wake=refuse_to_ring,
    )


def test_a_delivery_that_cannot_be_stored_enqueues_nothing(
    engines: connect.Engines, client: DBOSClient
) -> None:
    inbox = failing_inbox(engines)

    with pytest.raises(DiskFull):
        inbox.put(delivery("a"))

    assert inbox.find("a") == []
    assert client.list_workflows() == []


def test_what_was_put_off_stays_due_when_it_cannot_be_enqueued(
    engines: connect.Engines, inbox: DurableInbox
) -> None:
    failing = failing_inbox(engines)
    inbox.put(delivery("a"))
    inbox.put_off(key("a"), tries=1, problem="away", again_at=NOON)

    with pytest.raises(DiskFull):
        failing.repeat_due(NOON)

    assert inbox.repeat_due(NOON) == 1


def test_a_delivery_that_cannot_be_enqueued_is_not_stored(
    engines: connect.Engines, inbox: DurableInbox
) -> None:
    with engines.write.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workflow_status RENAME TO gone")

    with pytest.raises(sa.exc.OperationalError):
        inbox.put(delivery("a"))

    assert inbox.find("a") == []


def test_a_decision_and_its_deployments_are_stored_together_or_not_at_all(
    inbox: DurableInbox, client: DBOSClient
) -> None:
    inbox.put(delivery("a"))
    good = QueuedDeployment(deployment="d1", preview=PreviewId("p"), generation=Generation(1))
    bad = QueuedDeployment(
        deployment=threading.Lock(),  # type: ignore[arg-type]  # what cannot be written down
        preview=PreviewId("q"),
        generation=Generation(1),
    )

    with pytest.raises(Exception, match=r"pickle|serializ"):
        inbox.decided(key("a"), Decision(reason=Reason.DEPLOY, detail=""), [good, bad])

    assert inbox.find("a")[0].reason is None
    assert [row.workflow_id for row in client.list_workflows()] == ["delivery/1/a"]


def test_an_ignored_delivery_wakes_nobody(engines: connect.Engines) -> None:
    inbox = DurableInbox(
        read=engines.read, write=engines.write, deliveries=deliveries, wake=refuse_to_ring
    )
    ignored = Ignored(reason=Reason.PING, detail="")
    received = delivery("a")

    inbox.put(
        Received(
            key=received.key,
            event_name="ping",
            body=b"",
            verdict=ignored,
            received_at=received.received_at,
        )
    )


def test_preparing_twice_is_harmless(tmp_path: Path) -> None:
    for _ in range(2):
        schema.prepare(f"sqlite:///{tmp_path}/engine.db")


def test_a_second_worker_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    clock = FakeClock()
    with (
        lock.hold(path, clock),
        pytest.raises(ConfigurationProblem, match=r"pid \d+\) works in .*stop it first"),
    ):
        lock.hold(path, clock)

    assert sum(clock.slept, NO_TIME) >= lock.PATIENCE


class EndingPredecessor(FakeClock):
    """A clock on which another worker ends while this one waits."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._held = lock.hold(path, self)

    @override
    def sleep(self, duration: timedelta) -> None:
        super().sleep(duration)
        self._held.close()


def test_a_worker_takes_over_from_one_that_is_just_ending(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    clock = EndingPredecessor(path)

    lock.hold(path, clock).close()

    assert len(clock.slept) == 1


class Poller:
    """A thread that polls like the engine's: it looks after every wait."""

    def __init__(self, event: threading.Event) -> None:
        self.looks = threading.Semaphore(0)
        self._event = event
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def _poll(self) -> None:
        while not self._event.wait(3600):
            self.looks.release()

    def looks_again(self) -> bool:
        return self.looks.acquire(timeout=A_WHILE_S)

    def ends(self) -> bool:
        self._thread.join(A_WHILE_S)
        return not self._thread.is_alive()


def test_pollers_look_when_they_start_and_whenever_the_bell_rings(short_path: Path) -> None:
    bell, event = Bell(), threading.Event()
    bell.events().append(event)
    bell.listen(short_path)
    pollers = [Poller(event), Poller(event)]

    assert all(poller.looks_again() for poller in pollers)
    ring(short_path)
    assert all(poller.looks_again() for poller in pollers)
    bell.wake_soon()
    assert all(poller.looks_again() for poller in pollers)
    event.set()
    assert all(poller.ends() for poller in pollers)


def test_ringing_where_nobody_listens_is_harmless(short_path: Path) -> None:
    ring(short_path)


def test_a_full_bell_does_not_hold_up_whoever_rings(short_path: Path) -> None:
    Bell().listen(short_path)
    for _ in range(1000):
        ring(short_path)


def test_nothing_moves_once_all_workflows_are_parked_or_over() -> None:
    stop, about_to_pause = StopSignal(), threading.Event()

    def workflow() -> None:
        with stop.moving():
            about_to_pause.set()
            stop.pause(timedelta(hours=1))

    threading.Thread(target=workflow, daemon=True).start()  # it parks, and never ends
    about_to_pause.wait(A_WHILE_S)
    assert not stop.wait_until_parked(NO_TIME)

    stop.request()

    assert stop.wait_until_parked(timedelta(seconds=A_WHILE_S))
