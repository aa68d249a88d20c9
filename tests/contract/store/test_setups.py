"""Attempts to make an App in SQL: each is taken once, within the hour, and nothing is readable."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.adapters.storage import connect
from bot.adapters.storage.setups import SetupTable
from bot.adapters.storage.vault import Vault
from bot.core.model.apps import GithubApp
from bot.ports.setups import SetupState
from tests.fakes.clock import FakeClock

APP = GithubApp(
    id=7,
    slug="previewbot-example",
    html_url="https://github.com/apps/previewbot-example",
    private_key="-----BEGIN RSA PRIVATE KEY-----\nhush\n",
    webhook_secret="whs-hush",
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
def engines(database: Path) -> Iterator[connect.Engines]:
    url = f"sqlite:///{database}"
    connect.prepare(url)
    engines = connect.engines(url)
    yield engines
    engines.dispose()


@pytest.fixture
def table(engines: connect.Engines, clock: FakeClock) -> SetupTable:
    return SetupTable(engines, Vault([Fernet.generate_key().decode()]), clock)


def take(table: SetupTable, state: str, code: str = "the-code") -> str | None:
    with table._write.begin() as connection:
        return table.take(connection, state, code)


def state_of(table: SetupTable, state: str) -> SetupState | None:
    found = table.find(state)
    return None if found is None else found.state


def test_an_attempt_goes_from_open_to_done(table: SetupTable) -> None:
    table.open("s1")
    assert state_of(table, "s1") is SetupState.OPEN

    key = take(table, "s1")
    assert key is not None
    assert (state_of(table, "s1"), table.code(key)) == (SetupState.EXCHANGING, "the-code")

    table.finish(key, APP)
    assert (state_of(table, "s1"), table.code(key)) == (SetupState.DONE, None)
    assert table.app() == APP


def test_a_state_is_good_once(table: SetupTable) -> None:
    table.open("s1")

    assert take(table, "s1") is not None
    assert take(table, "s1", "another-code") is None


def test_an_unknown_state_is_good_for_nothing(table: SetupTable) -> None:
    table.open("s1")

    assert take(table, "s2") is None
    assert take(table, "") is None
    assert state_of(table, "s2") is None


def test_a_state_is_good_for_an_hour(table: SetupTable, clock: FakeClock) -> None:
    table.open("s1")
    table.open("s2")

    clock.move(timedelta(minutes=59, seconds=59))
    assert take(table, "s1") is not None
    clock.move(timedelta(seconds=2))
    assert take(table, "s2") is None


def test_a_failure_keeps_its_words_and_not_the_code(table: SetupTable) -> None:
    table.open("s1")
    key = take(table, "s1")
    assert key is not None

    table.fail(key, "GitHub says no")

    found = table.find("s1")
    assert found is not None
    assert (found.state, found.problem) == (SetupState.FAILED, "GitHub says no")
    assert (table.code(key), table.app()) == (None, None)


def test_there_is_one_app_and_it_can_be_forgotten(table: SetupTable) -> None:
    for number in (1, 2):
        table.open(f"s{number}")
        key = take(table, f"s{number}")
        assert key is not None
        table.finish(key, replace(APP, id=number))

    found = table.app()
    assert found is not None
    assert found.id == 2
    assert [table.forget_app(), table.forget_app()] == [True, False]
    assert table.app() is None


def test_the_database_holds_neither_secret_nor_code_nor_state(
    table: SetupTable, engines: connect.Engines, database: Path
) -> None:
    table.open("the-state")
    key = take(table, "the-state")
    assert key is not None
    exchanging = _content(engines, database)
    table.finish(key, APP)
    done = _content(engines, database)

    for words in ("the-state", "the-code", "hush"):
        assert words.encode() not in exchanging + done
    assert "hush" not in repr(table.app())


def _content(engines: connect.Engines, database: Path) -> bytes:
    engines.dispose()  # which writes the log back into the file
    return b"".join(file.read_bytes() for file in database.parent.glob("bot.db*"))
