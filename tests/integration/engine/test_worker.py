"""The worker as a process: killed, stopped, woken, and never doing a thing twice."""

from collections.abc import Callable
from datetime import UTC, datetime

from dbos import DBOSClient

from bot.adapters.engine.inbox import DurableInbox
from tests.fakes.deliveries import key
from tests.integration.engine.conftest import Start, delivery


def about(start: str, said: list[str]) -> list[str]:
    return [line for line in said if line.startswith(start)]


def test_a_step_killed_is_resumed_and_a_finished_one_is_not_repeated(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    first = start("hang")
    inbox.put(delivery("a", ("d1", "p", 1)))
    first.until("d1 two")

    first.kill()
    go()
    said = start("hang").until("d1 three")

    assert about("d1", said) == ["d1 two", "d1 three"]


def test_a_kill_frees_the_partition_for_what_came_later(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    first = start("hang")
    inbox.put(delivery("a", ("d1", "p", 1)))
    first.until("d1 two")
    first.kill()
    inbox.put(delivery("b", ("d2", "p", 2)))

    go()
    said = start("hang").until("d2 three")

    assert [line for line in said if line.endswith("three")] == ["d1 three", "d2 three"]


def test_a_pausing_step_hands_its_work_back_on_sigterm(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    first = start("watch")
    inbox.put(delivery("a", ("d1", "p", 1)))
    first.until("d1 two")

    first.ask_to_stop()
    first.until("worker_stopped")
    assert first.ended() == 0
    go()
    said = start("watch").until("d1 three")

    assert about("d1", said) == ["d1 two", "d1 three"]


def test_a_step_in_the_middle_of_its_effect_finishes_it_on_sigterm(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    first = start("finish")
    inbox.put(delivery("a", ("d1", "p", 1)))
    first.until("d1 one")

    first.ask_to_stop()
    first.tell("the answer is here")
    assert first.ended() == 0
    go()
    said = start("finish").until("d1 two")

    assert "d1 one" not in said


def test_a_successor_waits_for_its_predecessor_to_end(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    first = start("watch")
    inbox.put(delivery("a", ("d1", "p", 1)))
    first.until("d1 two")

    second = start("watch")
    second.until("prepared")
    first.ask_to_stop()
    first.until("worker_stopped")
    go()

    assert about("d1", second.until("d1 three")) == ["d1 two", "d1 three"]


def test_deployments_of_one_preview_run_one_after_the_other_and_others_beside_them(
    start: Start, inbox: DurableInbox
) -> None:
    worker = start("meet")
    worker.until("ready")
    inbox.put(delivery("a", ("d1", "p", 1), ("d2", "p", 2), ("d3", "p", 3)))
    worker.until("d1 begins")
    inbox.put(delivery("b", ("other", "q", 1)))

    worker.until("d3 ends")

    assert about("d", worker.seen) == [
        f"d{n} {what}" for n in (1, 2, 3) for what in ("begins", "ends")
    ]
    assert worker.seen.index("other begins") < worker.seen.index("d1 ends")


def test_a_delivery_wakes_the_worker_which_would_else_look_in_an_hour(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    go()
    worker = start("hang", polling_s=3600)
    worker.until("ready")

    inbox.put(delivery("a", ("d1", "p", 1)))

    assert worker.until("d1 three") == ["intake a", "d1 one", "d1 two", "d1 three"]


def test_what_was_delivered_before_any_worker_ever_ran_is_not_lost(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    inbox.put(delivery("a", ("d1", "p", 1)))
    go()

    said = start("hang").until("d1 three")

    assert about("intake", said) == ["intake a"]
    assert about("d1", said) == ["d1 one", "d1 two", "d1 three"]


def test_an_intake_that_failed_is_repeated_when_it_is_due_and_only_once(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    first = start("hang")
    inbox.put(delivery("a", body=b'fail[["d1", "p", 1]]'))
    first.until("put off a 1")
    inbox.repeat_due(datetime.now(UTC))
    first.until("put off a 2")
    first.kill()

    go()
    second = start("hang")
    second.until("ready")
    repeated = [inbox.repeat_due(datetime.now(UTC)), inbox.repeat_due(datetime.now(UTC))]
    second.until("d1 one")  # which is begun with the decision, and not a moment before

    [record] = inbox.find("a")
    assert repeated == [1, 0]
    assert (record.reason, record.tries, record.again_at) == ("deploy", 2, None)


def test_an_intake_that_cannot_be_put_off_leaves_its_reason_and_the_next_one_runs(
    start: Start, inbox: DurableInbox
) -> None:
    worker = start("hang")
    inbox.put(delivery("a", body=b"fail for good"))
    inbox.put(delivery("b"))

    worker.until("intake b")

    [record] = inbox.find("a")
    assert record.reason == "intake-failed"
    assert record.detail == "ValueError: GitHub said token [redacted] is unwell"
    assert "intake_failed" in worker.seen


def test_the_same_delivery_twice_runs_once(
    start: Start, inbox: DurableInbox, go: Callable[[], None]
) -> None:
    go()
    inbox.put(delivery("a", ("d1", "p", 1)))
    assert inbox.put(delivery("a", ("d1", "p", 1))) is not None
    worker = start("hang")
    worker.until("d1 three")
    inbox.put(delivery("a", ("d1", "p", 1)))
    inbox.put(delivery("b"))

    worker.until("intake b")

    assert worker.seen.count("intake a") == worker.seen.count("d1 one") == 1


def test_what_ended_long_ago_is_forgotten_at_the_next_start(
    start: Start, inbox: DurableInbox, client: DBOSClient
) -> None:
    first = start("hang")
    inbox.put(delivery("a"))
    inbox.put(delivery("b"))
    first.until("intake b")  # one repository, one partition: by now the other one has ended
    first.kill()

    second = start("hang", keep_days=0)
    second.until("ready")
    second.ask_to_stop()
    second.ended()

    left = {row.workflow_id for row in client.list_workflows()}
    assert "delivery/1/a" not in left
    assert inbox.find("a")[0].key == key("a")
