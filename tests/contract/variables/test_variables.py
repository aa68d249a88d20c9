"""One suite for every safe of variables."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.adapters.storage import connect
from bot.adapters.storage.memory_variables import MemoryVariables
from bot.adapters.storage.variables import SqlVariables
from bot.adapters.storage.vault import Vault
from bot.core.model.environment import Context
from bot.core.model.ids import AppName, RepositoryId
from bot.core.model.variables import Scope
from bot.ports.variables import Variables
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds

OURS, THEIRS = RepositoryId(7), RepositoryId(8)
PREVIEW, PRODUCTION = Scope(context=Context.PREVIEW), Scope(context=Context.PRODUCTION)
RELEASES = Scope(context=Context.BRANCH, branches="release/**")
OF_WEB = Scope(context=Context.PREVIEW, app=AppName("web"))
OF_THE_ONLY_APP = Scope(context=Context.PREVIEW, app=AppName(""))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sql", "memory"])
def safe(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Variables]:
    if request.param == "memory":
        yield MemoryVariables(clock, FakeIds())
        return
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    engines = connect.engines(url)
    yield SqlVariables(engines, Vault([Fernet.generate_key().decode()]), clock, FakeIds())
    engines.dispose()


def values(safe: Variables, repository: RepositoryId = OURS) -> list[tuple[str, Scope, str]]:
    return [(each.kept.key, each.kept.scope, each.value) for each in safe.opened(repository)]


def test_before_anything_is_kept_there_is_nothing(safe: Variables) -> None:
    assert safe.listed(OURS) == []
    assert safe.opened(OURS) == []
    assert not safe.remove(OURS, PREVIEW, "KEY")


def test_what_is_kept_comes_back(safe: Variables) -> None:
    kept = safe.put(OURS, PREVIEW, "KEY", "a\nключ 🚀")

    assert values(safe) == [("KEY", PREVIEW, "a\nключ 🚀")]
    assert safe.listed(OURS) == [kept]
    assert (kept.scope, kept.key, kept.set_at) == (PREVIEW, "KEY", NOON)


def test_a_value_shows_in_no_description_of_it(safe: Variables) -> None:
    safe.put(OURS, PREVIEW, "KEY", "hush-hush")

    assert "hush" not in repr(safe.opened(OURS))
    assert "hush" not in repr(safe.listed(OURS))


def test_each_change_makes_another_version(safe: Variables, clock: FakeClock) -> None:
    first = safe.put(OURS, PREVIEW, "KEY", "same")
    clock.move(timedelta(minutes=1))
    second = safe.put(OURS, PREVIEW, "KEY", "same")

    assert first.version != second.version
    assert safe.listed(OURS) == [second]
    assert second.set_at == NOON + timedelta(minutes=1)


def test_scopes_do_not_touch_each_other(safe: Variables) -> None:
    scopes = [RELEASES, OF_THE_ONLY_APP, PREVIEW, OF_WEB, PRODUCTION]
    for number, scope in enumerate(scopes):
        safe.put(OURS, scope, "KEY", str(number))

    assert safe.remove(OURS, PREVIEW, "KEY")
    assert {(scope, value) for _, scope, value in values(safe)} == {
        (RELEASES, "0"),
        (OF_THE_ONLY_APP, "1"),
        (OF_WEB, "3"),
        (PRODUCTION, "4"),
    }


def test_they_come_in_order_of_key_and_scope(safe: Variables) -> None:
    for scope in [RELEASES, OF_THE_ONLY_APP, PREVIEW, OF_WEB, PRODUCTION]:
        safe.put(OURS, scope, "B", "x")
    safe.put(OURS, PRODUCTION, "A", "x")

    assert [(each.key, each.scope) for each in safe.listed(OURS)] == [
        ("A", PRODUCTION),
        ("B", RELEASES),
        ("B", OF_THE_ONLY_APP),
        ("B", PREVIEW),
        ("B", OF_WEB),
        ("B", PRODUCTION),
    ]


def test_repositories_do_not_see_each_others(safe: Variables) -> None:
    safe.put(OURS, PREVIEW, "KEY", "ours")
    safe.put(THEIRS, PREVIEW, "KEY", "theirs")

    assert safe.remove(THEIRS, PREVIEW, "KEY")
    assert values(safe) == [("KEY", PREVIEW, "ours")]
    assert values(safe, THEIRS) == []
