"""Writers take turns in the order in which they came, and nobody waits for himself."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.subhosting.store.engine import Database
from bot.subhosting.store.turns import NestedWriteError, Turns, turns_of
from tests.subhosting.server import wait_until


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    with opened.writing() as connection:
        connection.execute(sa.text("CREATE TABLE visits (who INTEGER)"))
    yield opened
    opened.close()


def queued(turns: Turns, count: int) -> bool:
    return turns.waiting == count


def test_whoever_came_first_is_served_first() -> None:
    turns, served = Turns(), list[int]()

    def take(number: int) -> None:
        with turns.turn():
            served.append(number)

    with ThreadPoolExecutor(5) as pool, turns.turn():
        for number in range(5):
            pool.submit(take, number)
            wait_until(partial(queued, turns, number + 1), "it to queue")

    assert served == [0, 1, 2, 3, 4]


def test_an_error_in_a_turn_passes_it_on() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="broken"), turns.turn():
        raise ValueError("broken")

    with turns.turn():
        assert turns.waiting == 0


def test_writing_inside_of_writing_is_an_error_and_not_a_wait(database: Database) -> None:
    with database.writing(), pytest.raises(NestedWriteError), database.writing():
        pass  # pragma: no cover - not reached

    with database.writing() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1


def test_two_stores_of_one_file_share_their_turns(url: str, database: Database) -> None:
    other = Database(url)
    try:
        with database.writing(), pytest.raises(NestedWriteError), other.writing():
            pass  # pragma: no cover - not reached
    finally:
        other.close()


def test_two_files_have_nothing_to_do_with_each_other(database: Database, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    try:
        with database.writing(), other.writing() as connection:
            assert connection.scalar(sa.text("SELECT 1")) == 1
    finally:
        other.close()
    assert turns_of("a") is not turns_of("b")


def test_no_writer_is_lost_when_many_come_at_once(database: Database) -> None:
    begin = threading.Barrier(8)

    def write(number: int) -> None:
        begin.wait(10)
        for _ in range(25):
            with database.writing() as connection:
                connection.execute(sa.text("INSERT INTO visits VALUES (:who)"), {"who": number})

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(write, number) for number in range(8)]:
            done.result()

    with database.reading() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM visits")) == 200
