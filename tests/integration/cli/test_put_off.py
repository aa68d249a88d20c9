"""What the operator is shown of deliveries that could not be decided about."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.storage import connect, deliveries
from bot.bootstrap.doctor_records import undecided
from bot.bootstrap.findings import Check, Outcome
from bot.cli import explain
from bot.core.model.decisions import Decision, Reason
from bot.kernel.clock import SystemClock
from bot.ports.inbox import Received
from bot.settings import Settings
from tests.fakes.clock import NOON
from tests.fakes.deliveries import PUSHED, key

Given = Callable[..., None]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Store a delivery that was tried so often, and given up if there is no other time."""
    url = f"sqlite:///{tmp_path}/previewbot.db"
    connect.prepare(url)

    def stored(guid: str, tries: int, problem: str, *, given_up: bool = False) -> None:
        engines = connect.engines(url)
        with engines.write.begin() as connection:
            deliveries.insert(
                connection,
                Received(
                    key=key(guid),
                    event_name="push",
                    body=b"{}",
                    verdict=PUSHED,
                    received_at=SystemClock().now(),
                ),
            )
            deliveries.put_off(connection, key(guid), tries=tries, problem=problem, again_at=NOON)
            if given_up:
                last_word = Decision(reason=Reason.INTAKE_FAILED, detail=problem)
                deliveries.decide(connection, key(guid), last_word, [])
        engines.dispose()

    return stored


def looked_at(tmp_path: Path) -> list[Check]:
    return list(undecided(Settings(data_dir=tmp_path)))


def test_doctor_says_nothing_of_an_installation_without_records(tmp_path: Path) -> None:
    assert looked_at(tmp_path) == []


def test_doctor_finds_nothing_where_everything_was_decided(given: Given, tmp_path: Path) -> None:
    given("a", 0, "")

    [check] = looked_at(tmp_path)

    assert check.outcome is Outcome.OK


def test_doctor_names_what_was_put_off_and_what_was_given_up(given: Given, tmp_path: Path) -> None:
    for guid in "abcd":
        given(guid, 2, "git is away")
    given("e", 29, "given up after 30 tries: git is away", given_up=True)

    found = {check.name: check for check in looked_at(tmp_path)}

    assert {check.outcome for check in found.values()} == {Outcome.LACKING}
    assert found["put off"].found == ("4 put off (b, c, d, ...), the last because git is away")
    assert found["given up"].found == (
        "1 given up (e), the last because given up after 30 tries: git is away"
    )


def test_doctor_forgets_what_was_given_up_long_ago(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given("e", 29, "git is away", given_up=True)
    monkeypatch.setattr("bot.bootstrap.doctor_records.TOLD_FOR", timedelta())

    [check] = looked_at(tmp_path)

    assert check.outcome is Outcome.OK


@pytest.mark.parametrize(("tries", "words"), [(1, "tried once"), (3, "tried 3 times")])
def test_explain_tells_how_often_it_was_tried_and_when_again(
    given: Given, tmp_path: Path, capsys: pytest.CaptureFixture[str], tries: int, words: str
) -> None:
    given("a", tries, "git is away")

    assert explain.run(["a", "--data", str(tmp_path)]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[2:] == [
        f"  decision  {words}, again at 2026-03-01T12:00:00+00:00",
        "  because   git is away",
    ]
