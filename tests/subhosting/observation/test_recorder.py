"""The recorder and its parts, without a process around them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from typing_extensions import override

from bot.subhosting import setup
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host import meter
from bot.subhosting.host.kv_sizes import KvSizes
from bot.subhosting.host.meter import Meter, Reading
from bot.subhosting.host.recorder import LOGS_KEPT, Recorder
from bot.subhosting.host.traffic import Tally
from bot.subhosting.host.waiting_lines import BATCH, DROPPED, MOST, WaitingLines
from bot.subhosting.store import analytics, app_logs
from bot.subhosting.store.analytics import BUCKET, Owner, bucket_of
from bot.subhosting.store.app_logs import Line, Wanted
from bot.subhosting.store.engine import Database
from bot.subhosting.store.usage import Usage
from tests.subhosting.observation.rows import deployment_record, insert_deployment

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


class FakeClock:
    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return self.moment.timestamp()

    def sleep(self, duration: timedelta) -> None:
        self.moment += duration


class AwayDatabase(Database):
    """One that fails as often as it is told."""

    def __init__(self, url: str, failures: list[Exception]) -> None:
        super().__init__(url)
        self.failures = failures

    @override
    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if self.failures:
            raise self.failures.pop()
        with super().writing() as connection:
            yield connection


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def config(tmp_path: Path) -> SubhostingConfig:
    made = SubhostingConfig(data_dir=tmp_path / "data")
    setup.prepare(made)
    return made


@pytest.fixture
def database(config: SubhostingConfig) -> Iterator[Database]:
    made = Database(config.database)
    yield made
    made.close()


def no_databases(database: Database) -> KvSizes:
    """Return what finds no KV database's file."""
    return KvSizes(database, lambda database_id: Path("/nowhere") / database_id)


def line(message: str, time: datetime = NOON, deployment: str = "one") -> Line:
    return Line(
        deployment_id=deployment, project_id="project", time=time, level="info", message=message
    )


def stored(database: Database) -> list[str]:
    with database.reading() as connection:
        found = app_logs.read(connection, Wanted(project_id="project"), limit=100_000)
    return [each.message for each in found]


def recorded(database: Database, clock: FakeClock, act: Callable[[Recorder], None]) -> None:
    """Run a recorder around `act`, from its start to its end."""

    async def run() -> None:
        recorder = Recorder(
            database, clock, no_databases(database), counts_every=timedelta(hours=1)
        )
        recorder.start()
        act(recorder)
        await recorder.close()

    asyncio.run(run())


def test_everything_is_stored_at_the_end(
    config: SubhostingConfig, database: Database, clock: FakeClock
) -> None:
    deployment = insert_deployment(database, "one", "project")
    gone = deployment_record("gone", "project")

    def act(recorder: Recorder) -> None:
        for number in range(BATCH + 1):
            recorder.sink(deployment)(NOON, "info", str(number))
        recorder.sink(gone)(NOON, "info", "of a deleted deployment")
        recorder.tally.of("one").requests += 2
        recorder.tally.of("gone").requests += 5

    recorded(Database(config.database), clock, act)

    assert stored(database) == [str(number) for number in range(BATCH + 1)]
    with database.reading() as connection:
        found = analytics.read(connection, analytics.of_project("project"), NOON, NOON + BUCKET)
    assert found == {NOON: Usage(requests=2)}


def test_a_database_that_is_away_loses_nothing(
    config: SubhostingConfig, database: Database, clock: FakeClock
) -> None:
    deployment = insert_deployment(database, "one", "project")
    away = AwayDatabase(config.database, [])

    async def run() -> None:
        recorder = Recorder(away, clock, no_databases(database), counts_every=timedelta(hours=1))
        recorder.start()
        away.failures.append(OperationalError("", {}, Exception("locked")))
        recorder.sink(deployment)(NOON, "info", "kept")
        while away.failures:  # noqa: ASYNC110 - the loop under test has no event for this
            await asyncio.sleep(0)
        await recorder.close()

    asyncio.run(run())

    assert stored(database) == ["kept"]


def test_a_batch_that_is_refused_for_good_does_not_stop_the_next_one(
    config: SubhostingConfig, database: Database, clock: FakeClock
) -> None:
    deployment = insert_deployment(database, "one", "project")
    away = AwayDatabase(config.database, [])

    async def run() -> None:
        recorder = Recorder(away, clock, no_databases(database), counts_every=timedelta(hours=1))
        recorder.start()
        away.failures += [ValueError("bad")] * 3
        recorder.sink(deployment)(NOON, "info", "poison")
        while away.failures:  # noqa: ASYNC110 - the loop under test has no event for this
            await asyncio.sleep(0)
        recorder.sink(deployment)(NOON, "info", "fine")
        await recorder.close()

    asyncio.run(run())

    assert stored(database)[-1] == "fine"


def test_old_lines_and_counts_are_pruned(
    config: SubhostingConfig, database: Database, clock: FakeClock
) -> None:
    insert_deployment(database, "one", "project")
    ancient = bucket_of(NOON - timedelta(days=91))
    with database.writing() as connection:
        owner = analytics.owners(connection, ["one"])["one"]
        app_logs.insert(connection, [line("old", NOON - LOGS_KEPT - timedelta(seconds=1))])
        app_logs.insert(connection, [line("young", NOON - LOGS_KEPT + timedelta(seconds=1))])
        analytics.add(connection, ancient, {"one": (owner, Usage(requests=1))})

    async def run() -> None:
        again = Database(config.database)
        sizes = no_databases(again)
        recorder = Recorder(again, clock, sizes, counts_every=timedelta(hours=1))
        recorder.start()
        while stored(database) != ["young"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        await recorder.close()

    asyncio.run(run())

    with database.reading() as connection:
        assert analytics.read(connection, analytics.of_project("project"), ancient, NOON) == {}


def test_counts_are_added_up_and_the_maximum_is_kept(database: Database) -> None:
    insert_deployment(database, "one", "project")
    owner = _owner(database)
    for usage in (
        Usage(requests=1, egress_bytes=2**40, cpu_s=0.5, max_rss_bytes=300),
        Usage(requests=2, egress_bytes=2**40, cpu_s=0.25, max_rss_bytes=200),
    ):
        with database.writing() as connection:
            analytics.add(connection, NOON, {"one": (owner, usage), "two": (owner, Usage())})

    with database.reading() as connection:
        where = analytics.of_organization(owner.organization_id)
        found = analytics.read(connection, where, NOON, NOON + BUCKET)
    assert found == {NOON: Usage(requests=3, egress_bytes=2**41, cpu_s=0.75, max_rss_bytes=300)}


def test_numbers_of_lines_are_never_given_twice(database: Database) -> None:
    insert_deployment(database, "one", "project")

    def newest_id() -> int:
        with database.reading() as connection:
            return app_logs.read(connection, Wanted(project_id="project"), limit=1)[0].id

    with database.writing() as connection:
        app_logs.insert(connection, [line("first")])
    first = newest_id()
    with database.writing() as connection:
        connection.execute(sa.text("DELETE FROM app_logs"))
        app_logs.insert(connection, [line("second")])

    assert newest_id() > first


def test_waiting_lines_are_bounded_and_say_what_is_missing() -> None:
    waiting = WaitingLines(NOON)
    for number in range(MOST + 3):
        waiting.take(line(str(number), NOON + timedelta(seconds=number)))

    assert (len(waiting), waiting.dropped) == (MOST, 3)
    waiting.done(len(waiting.batch()))
    waiting.take(line("next", NOON + timedelta(days=9)))

    waiting.done(MOST - BATCH)
    marks = [(each.level, each.message, each.time) for each in waiting.batch()]
    assert marks == [
        ("warning", DROPPED, NOON + timedelta(seconds=MOST)),
        ("info", "next", NOON + timedelta(days=9)),
    ]


def times_of(waiting: WaitingLines) -> list[timedelta]:
    batch = waiting.batch()
    waiting.done(len(batch))
    return [each.time - NOON for each in batch]


def test_lines_leave_in_the_order_of_their_times() -> None:
    waiting = WaitingLines(NOON)
    for minutes in (1, -5, 2):
        waiting.take(line(str(minutes), NOON + timedelta(minutes=minutes)))

    assert times_of(waiting) == [timedelta(0), timedelta(minutes=1), timedelta(minutes=2)]


def test_a_clock_that_is_set_back_does_not_turn_the_order_around() -> None:
    waiting = WaitingLines(NOON)
    waiting.take(line("stored", NOON + timedelta(minutes=2)))
    assert times_of(waiting) == [timedelta(minutes=2)]

    waiting.take(line("late", NOON + timedelta(minutes=1)))
    other = replace(line("of another"), project_id="other", time=NOON + timedelta(minutes=1))
    waiting.take(other)

    assert times_of(waiting) == [timedelta(minutes=2), timedelta(minutes=1)]


def test_buckets_begin_at_the_quarters_of_an_hour() -> None:
    assert bucket_of(NOON) == NOON
    assert bucket_of(NOON + BUCKET - timedelta(microseconds=1)) == NOON
    assert bucket_of(NOON + BUCKET) == NOON + BUCKET


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_process_is_measured_until_its_very_end() -> None:
    program = "x = bytearray(50_000_000)\nfor _ in range(5_000_000): pass\nprint(flush=True)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        reading = meter.read(process.pid)

    assert reading is not None
    assert reading.cpu_s > 0.05
    assert meter.read(process.pid) is None
    mine = meter.read(os.getpid())
    assert mine is not None
    assert 10_000_000 < mine.rss_bytes <= mine.peak_rss_bytes


def test_a_meter_adds_what_is_new(clock: FakeClock) -> None:
    tally = Tally()
    running: set[Meter] = set()
    made = Meter(lambda: tally.of("one"), clock, running)

    made.begin(2**22 + 1)  # no process has this number
    clock.sleep(timedelta(seconds=10))
    made.add(Reading(cpu_s=1.0, rss_bytes=100, peak_rss_bytes=150))
    first = tally.take()["one"]
    clock.sleep(timedelta(seconds=10))
    made.add(Reading(cpu_s=1.5, rss_bytes=300, peak_rss_bytes=150 + 150))
    second = tally.take()["one"]
    clock.sleep(timedelta(seconds=10))
    made.add(Reading(cpu_s=1.5, rss_bytes=200, peak_rss_bytes=300))
    made.end()
    third = tally.take()["one"]

    assert first == Usage(cpu_s=1.0, uptime_s=10, memory_byte_s=1000, max_rss_bytes=150)
    assert second == Usage(cpu_s=0.5, uptime_s=10, memory_byte_s=2000, max_rss_bytes=300)
    assert third == Usage(uptime_s=10, memory_byte_s=2500, max_rss_bytes=300)
    assert running == set()
    assert tally.take() == {}


def _owner(database: Database) -> Owner:
    with database.reading() as connection:
        return analytics.owners(connection, ["one"])["one"]
