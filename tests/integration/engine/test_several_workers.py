"""Several workers over one PostgreSQL, each a process with a data directory of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.adapters.engine import schema
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.worker import CONCURRENCY
from bot.adapters.storage import connect, deliveries
from bot.kernel.runtime_dir import runtime_directory
from tests.integration.engine.conftest import Worker, delivery
from tests.plugins.postgresql import Postgresql

Begin = Callable[[str], Worker]


@pytest.fixture
def database_url(postgresql: Postgresql) -> str:
    url = postgresql.new_database()
    connect.prepare(url)
    schema.prepare(url)
    return url


@pytest.fixture
def inbox(database_url: str) -> Iterator[DurableInbox]:
    engines = connect.engines(database_url)
    yield DurableInbox(
        read=engines.read, write=engines.write, deliveries=deliveries, wake=lambda: None
    )
    engines.dispose()


@pytest.fixture
def begin(tmp_path: Path, database_url: str) -> Iterator[Begin]:
    """Start the worker of a data directory by its name, whose deployments hang until `go`."""
    with ExitStack() as stack:

        def begun(name: str) -> Worker:
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            worker = Worker(folder, "hang", polling_s=0.1, database_url=database_url)
            stack.callback(shutil.rmtree, runtime_directory(folder), ignore_errors=True)
            stack.callback(worker.close)
            return worker

        yield begun


@pytest.fixture
def go(tmp_path: Path) -> Callable[[str], None]:
    """Let what hangs in the worker of that name go on, when it is begun the next time."""

    def goes(name: str) -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "go").touch()

    return goes


def put(inbox: DurableInbox, guid: str, *deployments: str) -> None:
    inbox.put(delivery(guid, *((each, f"preview-{each}", 1) for each in deployments)))


def names(count: int) -> list[str]:
    return [f"d{number}" for number in range(count)]


def said(workers: list[Worker], what: str) -> list[str]:
    """Return every line that ends so, whichever worker said it."""
    return sorted(line for worker in workers for line in worker.seen if line.endswith(what))


def test_two_workers_share_the_work_and_each_thing_is_done_once(
    begin: Begin, inbox: DurableInbox
) -> None:
    workers = [begin("one"), begin("two")]
    for worker in workers:
        worker.until("ready")

    # More than one of them may run at a time.
    deployments = names(2 * CONCURRENCY)
    for number, each in enumerate(deployments):
        put(inbox, f"guid{number}", each)
    for worker in workers:
        worker.until_said(" two", CONCURRENCY)

    for worker in workers:
        worker.kill_and_hear()
    assert said(workers, " one") == [f"{each} one" for each in deployments]
    assert said(workers, " two") == [f"{each} two" for each in deployments]
    intakes = [line for worker in workers for line in worker.seen if line.startswith("intake ")]
    assert sorted(intakes) == [f"intake guid{number}" for number in range(len(deployments))]


def test_what_a_killed_worker_left_is_taken_over_and_what_a_living_one_does_is_not(
    begin: Begin, inbox: DurableInbox, go: Callable[[str], None]
) -> None:
    killed, living = begin("killed"), begin("living")
    for worker in (killed, living):
        worker.until("ready")
    put(inbox, "a", *names(2 * CONCURRENCY))
    lost = killed.until_said(" two", CONCURRENCY)
    kept = living.until_said(" two", CONCURRENCY)

    killed.kill()
    go("heir")
    heir = begin("heir")

    assert heir.until_said(" three", CONCURRENCY) == lost
    for worker in (heir, living):
        worker.kill_and_hear()
    # Finished steps are not repeated, and nothing of the living one's is touched.
    assert said([heir], " one") == []
    assert said([heir], " two") == [f"{each} two" for each in lost]
    assert sorted([*lost, *kept]) == names(2 * CONCURRENCY)
    assert said([living], " three") == []


def test_what_waits_in_a_killed_workers_partition_goes_on(
    begin: Begin, inbox: DurableInbox, go: Callable[[str], None]
) -> None:
    killed = begin("killed")
    inbox.put(delivery("a", ("d1", "p", 1), ("d2", "p", 2)))
    killed.until("d1 two")

    killed.kill()
    go("heir")
    ended = begin("heir").until("d2 three")

    assert [line for line in ended if line.endswith("three")] == ["d1 three", "d2 three"]


def test_a_worker_that_comes_back_goes_on_with_its_own_work(
    begin: Begin, inbox: DurableInbox, go: Callable[[str], None]
) -> None:
    first = begin("one")
    put(inbox, "a", "d1")
    first.until("d1 two")
    first.kill()

    go("one")
    lines = begin("one").until("d1 three")

    assert [line for line in lines if line.startswith("d1")] == ["d1 two", "d1 three"]


def test_a_worker_with_a_copy_of_a_directory_says_so_and_does_nothing(
    begin: Begin, tmp_path: Path, inbox: DurableInbox
) -> None:
    first = begin("one")
    first.until("ready")
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "one" / "worker.id", tmp_path / "copy" / "worker.id")
    put(inbox, "a", "d1")
    first.until("d1 two")

    copy = begin("copy")

    assert copy.ended() == 1
    assert said([copy], " two") == []
