"""The exchange of GitHub's code, wherever the worker dies."""

from dataclasses import dataclass, field

import pytest

from bot.adapters.engine.memory import MemoryJournal
from bot.core.model.apps import GithubApp
from bot.core.model.errors import ForgeError, ForgeRefused, ForgeUnavailable
from bot.pipeline.set_up import set_up
from tests.fakes.clock import FakeClock
from tests.fakes.journal import Killed, MortalJournal

APP = GithubApp(
    id=7, slug="ours", html_url="https://x", private_key="pem-hush", webhook_secret="whs-hush"
)


@dataclass
class World:
    """One attempt that waits for its exchange, and a GitHub that knows its code."""

    code_kept: str | None = "the-code"
    made: GithubApp | None = None
    problem: str = ""
    restarts: int = 0
    conversions: int = 0
    answers: list[ForgeError] = field(default_factory=list)  # before the good one

    def code(self, _key: str) -> str | None:
        return self.code_kept

    def finish(self, _key: str, app: GithubApp) -> None:
        self.made, self.code_kept = app, None

    def fail(self, _key: str, problem: str) -> None:
        self.problem, self.code_kept = problem, None

    def convert(self, code: str) -> GithubApp:
        assert code == "the-code"
        if self.answers:
            raise self.answers.pop(0)
        self.conversions += 1
        return APP

    def restart(self) -> None:
        self.restarts += 1

    def exchange(self, journal: MemoryJournal | MortalJournal) -> None:
        set_up("key", self, self, journal, restart=self.restart)


def test_the_app_is_stored_and_the_worker_begins_anew_with_it() -> None:
    world = World()

    world.exchange(MemoryJournal(FakeClock()))

    assert (world.made, world.restarts, world.conversions) == (APP, 1, 1)


def test_a_github_that_is_away_for_a_moment_is_waited_for() -> None:
    world = World(answers=[ForgeUnavailable("POST", "502")])

    world.exchange(MemoryJournal(FakeClock()))

    assert world.made == APP


def test_a_code_that_is_not_good_is_told_to_the_operator() -> None:
    world = World(answers=[ForgeRefused("exchanging", status=404, message="Not Found")])

    world.exchange(MemoryJournal(FakeClock()))

    assert (world.made, world.restarts) == (None, 0)
    assert "Not Found" in world.problem
    assert "begin again" in world.problem


def test_no_secret_is_written_to_the_journal() -> None:
    world = World()
    journal = MemoryJournal(FakeClock())

    world.exchange(journal)

    assert journal.steps
    assert b"hush" not in b"".join(result for _, result in journal.steps.values())


def test_a_worker_killed_after_the_exchange_neither_exchanges_nor_restarts_again() -> None:
    world = World()
    journal = MortalJournal("exchange")
    with pytest.raises(Killed):
        world.exchange(journal)

    world.exchange(MemoryJournal(FakeClock(), journal.steps))

    assert (world.made, world.conversions, world.restarts) == (APP, 1, 0)
