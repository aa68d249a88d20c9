"""One suite for every inbox: one delivery is one delivery, one decision stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from dbos import DBOSClient

from bot.adapters.engine import identities, schema
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.storage import connect, deliveries
from bot.core.model.decisions import Decision, Ignored, Reason
from bot.core.model.errors import RecordNotFound
from bot.core.model.events import Event
from bot.core.model.ids import (
    DeliveryKey,
    Generation,
    PreviewId,
)
from bot.ports.inbox import DeliveryRecord, Inbox, QueuedDeployment, Received
from tests.fakes.clock import NOON
from tests.fakes.deliveries import PUSHED, key
from tests.fakes.inbox import FakeInbox

DEPLOY = Decision(reason=Reason.DEPLOY, detail="main has a new head")
FIRST = QueuedDeployment(deployment="d1", preview=PreviewId("p"), generation=Generation(1))
SECOND = QueuedDeployment(deployment="d2", preview=PreviewId("q"), generation=Generation(1))


@dataclass(frozen=True)
class Bench:
    """An inbox, and the identities of the work it has enqueued."""

    inbox: Inbox
    enqueued: Callable[[], list[str]]


@pytest.fixture(params=["durable", "fake"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "fake":
        fake = FakeInbox()
        yield Bench(
            fake,
            lambda: (
                [identities.intake_id(key) for key in fake.intakes]
                + [identities.intake_id(key, tries) for key, tries in fake.repeats]
                + [identities.deploy_id(queued) for queued in fake.deployments]
            ),
        )
        return
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    schema.prepare(url)
    engines = connect.engines(url)
    inbox = DurableInbox(
        read=engines.read, write=engines.write, deliveries=deliveries, wake=lambda: None
    )
    client = DBOSClient(system_database_engine=engines.read)
    yield Bench(inbox, lambda: [row.workflow_id for row in client.list_workflows()])
    engines.dispose()


def received(delivery: DeliveryKey, verdict: Event | Ignored = PUSHED) -> Received:
    return Received(key=delivery, event_name="push", body=b"{}", verdict=verdict, received_at=NOON)


def record(
    delivery: DeliveryKey,
    reason: str | None = None,
    detail: str | None = None,
    deployments: tuple[str, ...] = (),
) -> DeliveryRecord:
    return DeliveryRecord(
        key=delivery,
        event_name="push",
        received_at=NOON,
        reason=reason,
        detail=detail,
        deployments=deployments,
    )


def test_a_new_delivery_is_stored_and_its_intake_enqueued(bench: Bench) -> None:
    assert bench.inbox.put(received(key())) is None

    assert bench.inbox.find("a") == [record(key())]
    assert bench.enqueued() == ["delivery/1/a"]


def test_an_ignored_delivery_is_stored_with_its_reason_and_runs_nothing(bench: Bench) -> None:
    ignored = Ignored(reason=Reason.TAG_PUSH, detail="refs/tags/v1")

    assert bench.inbox.put(received(key(), ignored)) is None

    assert bench.inbox.find("a") == [record(key(), "tag-push", "refs/tags/v1")]
    assert bench.enqueued() == []


def test_the_same_delivery_again_is_answered_with_what_it_led_to(bench: Bench) -> None:
    bench.inbox.put(received(key()))
    assert bench.inbox.put(received(key())) == record(key())
    bench.inbox.decided(key(), DEPLOY, [FIRST])

    answer = bench.inbox.put(received(key()))

    assert answer == record(key(), "deploy", "main has a new head", ("d1",))
    assert bench.enqueued() == ["delivery/1/a", "deploy/p/1"]


def test_two_hooks_may_send_the_same_guid(bench: Bench) -> None:
    bench.inbox.put(received(key(hook="1")))

    assert bench.inbox.put(received(key(hook="2"))) is None

    assert bench.inbox.find("a") == [record(key(hook="1")), record(key(hook="2"))]
    assert bench.enqueued() == ["delivery/1/a", "delivery/2/a"]


def test_a_decision_enqueues_every_deployment_once(bench: Bench) -> None:
    bench.inbox.put(received(key()))

    bench.inbox.decided(key(), DEPLOY, [FIRST, SECOND])
    bench.inbox.decided(key(), DEPLOY, [FIRST, SECOND])

    assert bench.enqueued() == ["delivery/1/a", "deploy/p/1", "deploy/q/1"]


def test_the_first_decision_stands(bench: Bench) -> None:
    bench.inbox.put(received(key()))
    bench.inbox.decided(key(), DEPLOY, [FIRST])

    repeated = Decision(reason=Reason.ALREADY_HANDLED, detail="by itself")
    bench.inbox.decided(key(), repeated, [])

    expected = record(key(), "deploy", "main has a new head", ("d1",))
    assert bench.inbox.find("a") == [expected]


def test_a_decision_about_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(RecordNotFound, match="1/a"):
        bench.inbox.decided(key(), DEPLOY, [FIRST])

    assert bench.enqueued() == []


def test_an_unknown_guid_finds_nothing(bench: Bench) -> None:
    assert bench.inbox.find("nowhere") == []


LATER = NOON + timedelta(minutes=1)


def test_an_intake_that_was_put_off_is_enqueued_again_when_its_time_has_come(bench: Bench) -> None:
    bench.inbox.put(received(key()))

    bench.inbox.put_off(key(), tries=1, problem="git is away", again_at=LATER)

    put_off = replace(record(key()), tries=1, problem="git is away", again_at=LATER)
    assert bench.inbox.find("a") == [put_off]
    assert bench.inbox.repeat_due(LATER - timedelta(seconds=1)) == 0
    assert bench.inbox.repeat_due(LATER) == 1
    assert bench.inbox.find("a") == [replace(put_off, again_at=None)]
    assert bench.enqueued() == ["delivery/1/a", "delivery/1/a/1"]


def test_what_is_due_is_enqueued_once_and_the_same_failure_counts_once(bench: Bench) -> None:
    bench.inbox.put(received(key()))
    bench.inbox.put_off(key(), tries=1, problem="git is away", again_at=LATER)
    bench.inbox.repeat_due(LATER)

    bench.inbox.put_off(key(), tries=1, problem="git is away", again_at=LATER)

    assert bench.inbox.repeat_due(LATER) == 0
    assert bench.enqueued() == ["delivery/1/a", "delivery/1/a/1"]


def test_a_decision_ends_what_was_put_off(bench: Bench) -> None:
    bench.inbox.put(received(key()))
    bench.inbox.put_off(key(), tries=1, problem="git is away", again_at=LATER)

    bench.inbox.decided(key(), DEPLOY, [FIRST])

    assert bench.inbox.repeat_due(LATER) == 0
    assert bench.enqueued() == ["delivery/1/a", "deploy/p/1"]


def test_what_is_decided_cannot_be_put_off(bench: Bench) -> None:
    bench.inbox.put(received(key()))
    bench.inbox.decided(key(), DEPLOY, [FIRST])

    bench.inbox.put_off(key(), tries=1, problem="git is away", again_at=LATER)

    decided = record(key(), "deploy", "main has a new head", ("d1",))
    assert bench.inbox.find("a") == [decided]
    assert bench.inbox.repeat_due(LATER) == 0
