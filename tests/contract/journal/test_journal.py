"""One suite for every journal: what was done is not done again, what was killed is."""

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from dbos import DBOS
from dbos import error as engine_errors

from bot.adapters.engine.journal import DbosJournal
from bot.adapters.engine.memory import MemoryJournal, Steps
from bot.adapters.engine.stopping import StopSignal
from bot.adapters.engine.wake import Bell
from bot.core.model.errors import TargetUnavailable
from bot.ports.journal import Journal
from tests.fakes.clock import FakeClock
from tests.fakes.journal import Killed

Road = Callable[[Journal], object]


class Process(Protocol):
    """Runs a road, and after a death the same road again over what was recorded."""

    def run(self, road: Road) -> object: ...
    def resume(self, road: Road) -> object: ...


class MemoryProcess:
    def __init__(self) -> None:
        self._steps: Steps = {}

    def run(self, road: Road) -> object:
        return road(MemoryJournal(FakeClock(), self._steps))

    resume = run


class DbosProcess:
    """A launched engine; a death is played by forking the workflow after its last record."""

    def __init__(self, folder: Path) -> None:
        self._bell = Bell()
        self._ends: queue.SimpleQueue[tuple[object, BaseException | None]] = queue.SimpleQueue()
        self._road: Road = lambda _: None
        self._workflow_id = ""
        engine = DBOS(
            config={
                "name": "journal-contract",
                "system_database_url": f"sqlite:///{folder}/engine.db",
                "application_version": "1",
                "log_level": "CRITICAL",
                "notification_listener_polling_interval_sec": 0.01,
            }
        )
        engine.background_thread_stop_events = self._bell.events()

        @DBOS.workflow(name="road")
        def road() -> None:
            self._ends.put(self._walked(DbosJournal(StopSignal())))

        self._workflow = road
        DBOS.launch()

    def _walked(self, journal: Journal) -> tuple[object, BaseException | None]:
        try:
            return self._road(journal), None
        except (Exception, Killed) as error:  # noqa: BLE001 - carried over to the test's thread
            return None, error

    def run(self, road: Road) -> object:
        self._road = road
        self._workflow_id = DBOS.start_workflow(self._workflow).workflow_id
        return self._end()

    def resume(self, road: Road) -> object:
        self._road = road
        recorded = len(DBOS.list_workflow_steps(self._workflow_id))
        self._workflow_id = DBOS.fork_workflow(self._workflow_id, recorded + 1).workflow_id
        self._bell.wake()
        return self._end()

    def _end(self) -> object:
        value, error = self._ends.get(timeout=30)
        if error is not None:
            raise error
        return value


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbosProcess]:
    yield DbosProcess(tmp_path_factory.mktemp("engine"))
    DBOS.destroy(destroy_registry=True)


@pytest.fixture(params=["dbos", "memory"])
def process(request: pytest.FixtureRequest) -> Process:
    if request.param == "memory":
        return MemoryProcess()
    found: Process = request.getfixturevalue("engine")
    return found


class Effects:
    """The outside world: what was done to it, and whether it kills whoever does `mortal`."""

    def __init__(self, mortal: str | None = None) -> None:
        self.done: list[str] = []
        self.mortal = mortal

    def do(self, name: str) -> str:
        self.done.append(name)
        if name == self.mortal:
            raise Killed(name)
        return f"{name} is done"

    def walk(self, journal: Journal, *names: str) -> list[str]:
        """Do each of `names` in a step of that name."""
        return [journal.step(name, partial(self.do, name)) for name in names]

    def count(self) -> int:
        """Do "look" and return how much was done by then."""
        self.do("look")
        return len(self.done)


def test_the_steps_run_in_order_and_give_their_results(process: Process) -> None:
    effects = Effects()

    result = process.run(lambda journal: effects.walk(journal, "a", "b"))

    assert result == ["a is done", "b is done"]
    assert effects.done == ["a", "b"]


def test_a_step_killed_is_repeated_and_those_before_it_are_not(process: Process) -> None:
    effects = Effects(mortal="b")

    def road(journal: Journal) -> list[str]:
        return effects.walk(journal, "a", "b", "c")

    with pytest.raises(Killed):
        process.run(road)
    effects.mortal = None
    result = process.resume(road)

    assert result == ["a is done", "b is done", "c is done"]
    assert effects.done == ["a", "b", "b", "c"]


def test_a_result_of_none_is_a_result(process: Process) -> None:
    effects = Effects(mortal="b")

    def road(journal: Journal) -> object:
        nothing = journal.step("a", lambda: effects.done.append("a"))
        journal.step("b", lambda: effects.do("b"))
        return nothing

    with pytest.raises(Killed):
        process.run(road)
    effects.mortal = None

    assert process.resume(road) is None
    assert effects.done == ["a", "b", "b"]


def test_two_steps_of_one_name_are_two_steps(process: Process) -> None:
    effects = Effects(mortal="end")

    def road(journal: Journal) -> list[int]:
        count = [journal.step("look", effects.count) for _ in range(2)]
        journal.step("end", lambda: effects.do("end"))
        return count

    with pytest.raises(Killed):
        process.run(road)
    effects.mortal = None

    assert process.resume(road) == [1, 2]
    assert effects.done == ["look", "look", "end", "end"]


def test_a_failure_is_a_result_with_its_facts(process: Process) -> None:
    effects = Effects(mortal="report")

    def create() -> None:
        effects.do("create")
        problem = "503"
        raise TargetUnavailable("embedded", problem, retry_after=timedelta(seconds=3))

    def road(journal: Journal) -> object:
        try:
            journal.step("create", create)
        except TargetUnavailable as error:
            journal.step("report", lambda: effects.do("report"))
            return str(error), error.target, error.retry_after
        return "no failure"

    with pytest.raises(Killed):
        process.run(road)
    effects.mortal = None

    expected = ("embedded is unavailable: 503", "embedded", timedelta(seconds=3))
    assert process.resume(road) == expected
    assert effects.done == ["create", "report", "report"]


class Stubborn(Exception):  # noqa: N818 - plays a vendor's
    def __init__(self) -> None:
        super().__init__("holds a lock")
        self.lock = threading.Lock()


def test_a_failure_that_cannot_be_written_down_keeps_its_words(process: Process) -> None:
    effects = Effects(mortal="report")

    def fail() -> None:
        effects.do("fail")
        raise Stubborn

    def road(journal: Journal) -> str:
        try:
            journal.step("fail", fail)
        except Exception as error:  # noqa: BLE001 - its kind is what is looked at
            journal.step("report", lambda: effects.do("report"))
            return repr(error)
        return "no failure"

    with pytest.raises(Killed):
        process.run(road)
    effects.mortal = None

    assert process.resume(road) == "RuntimeError('Stubborn: holds a lock')"
    assert effects.done == ["fail", "report", "report"]


def test_another_step_in_the_place_of_a_recorded_one_is_refused(process: Process) -> None:
    effects = Effects(mortal="b")

    def road(first: str) -> Road:
        def walk(journal: Journal) -> None:
            journal.step(first, lambda: effects.do(first))
            journal.step("b", lambda: effects.do("b"))

        return walk

    with pytest.raises(Killed):
        process.run(road("a"))
    with pytest.raises((RuntimeError, engine_errors.DBOSUnexpectedStepError)):
        process.resume(road("x"))

    assert effects.done == ["a", "b"]


def test_a_pause_ends(process: Process) -> None:
    def wait(journal: Journal) -> str:
        journal.pause(timedelta(milliseconds=1))
        return "waited"

    result = process.run(lambda journal: journal.step("wait", lambda: wait(journal)))

    assert result == "waited"
