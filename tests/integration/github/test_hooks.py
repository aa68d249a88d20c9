"""Deliveries that got lost, asked for over real HTTP: the App's, and those of repository hooks."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import httpx
import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from bot.adapters.github.forge import GitHubForge, token_forge
from bot.core.decide.missed import to_repeat
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import Repository
from bot.ports.hooks import Hooks
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub

NOWHERE = "http://127.0.0.1:9/webhooks/github"  # the discard port: nobody listens


@pytest.fixture
def hooks(forge: GitHubForge, ours: Repository) -> Hooks:
    return forge.hooks(lambda: [ours], NOWHERE)


def lose(gh: FakeGitHub, guid: str, **kinds: int) -> None:
    assert gh.try_to_deliver(NOWHERE, "push", {"zen": "x"}, "s", guid=guid, **kinds) is None


def guids(hooks: Hooks) -> list[str]:
    return [attempt.guid for attempt in to_repeat(hooks.attempts(NOON))]


def test_what_was_lost_is_listed_with_githubs_word_for_it(gh: FakeGitHub, hooks: Hooks) -> None:
    lose(gh, "lost")

    [attempt] = hooks.attempts(NOON)

    assert (attempt.guid, attempt.arrived, attempt.at) == ("lost", False, NOON)
    assert attempt.outcome == "failed to connect to host"


def test_the_list_is_read_page_by_page_until_the_given_time(
    gh: FakeGitHub, hooks: Hooks, clock: FakeClock
) -> None:
    lose(gh, "before")
    clock.move(timedelta(hours=1))
    for number in range(150):
        lose(gh, f"g{number:03}")

    found = [attempt.guid for attempt in hooks.attempts(clock.now())]

    assert found == [f"g{number:03}" for number in reversed(range(150))]
    listed = [r for r in gh.requests if r.path == "/app/hook/deliveries"]
    assert len(listed) == 2


def test_what_is_repeated_comes_again_under_the_same_guid(gh: FakeGitHub, hooks: Hooks) -> None:
    lose(gh, "lost")
    [attempt] = hooks.attempts(NOON)

    hooks.repeat(attempt)

    def repeated() -> list[str] | None:
        again = [sent.guid for sent in gh.store.deliveries if sent.redelivery]
        return again or None

    assert gh.wait_for(repeated, "a redelivery") == ["lost"]


def test_one_the_app_does_not_know_is_refused(gh: FakeGitHub, hooks: Hooks) -> None:
    lose(gh, "lost")
    [attempt] = hooks.attempts(NOON)
    gh.store.deliveries.clear()

    with pytest.raises(ForgeRefused):
        hooks.repeat(attempt)


@pytest.fixture
def receiver() -> Iterator[str]:
    """Return the address of somebody who takes everything."""
    server = make_server("127.0.0.1", 0, Request.application(lambda _: Response("", 202)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_arrived_at_last_is_not_asked_for(
    gh: FakeGitHub, hooks: Hooks, receiver: str
) -> None:
    lose(gh, "late")
    answer = gh.deliver(receiver, "push", {"zen": "x"}, "s", guid="late")

    assert answer.status_code == httpx.codes.ACCEPTED
    assert guids(hooks) == []


# --- repository webhooks -------------------------------------------------------------------------


@pytest.fixture
def by_token(gh: FakeGitHub, repository: FakeRepository, ours: Repository) -> Hooks:
    token = gh.add_personal_token("ada", {repository.full_name: "admin"})
    forge = token_forge(token, clock=FakeClock(), api_url=gh.api_url)
    return forge.hooks(lambda: [ours], NOWHERE)


def test_of_a_repositorys_hooks_only_ours_is_looked_at(
    gh: FakeGitHub, by_token: Hooks, repository: FakeRepository
) -> None:
    mine = gh.add_hook(repository, NOWHERE, "s")
    other = gh.add_hook(repository, "https://ci.example.com/", "s")
    lose(gh, "mine", hook_id=mine.id)
    lose(gh, "other", hook_id=other.id)

    [attempt] = by_token.attempts(NOON)
    by_token.repeat(attempt)

    assert (attempt.guid, attempt.hook) == ("mine", str(mine.id))
    again = gh.wait_for(
        lambda: [s.guid for s in gh.store.deliveries if s.redelivery] or None, "a redelivery"
    )
    assert again == ["mine"]


def test_a_token_that_may_not_see_hooks_is_told_which_right_is_missing(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository
) -> None:
    token = gh.add_personal_token("eve", {repository.full_name: "write"})
    forge = token_forge(token, clock=FakeClock(), api_url=gh.api_url)

    with pytest.raises(ForgeRefused, match="administrator"):
        list(forge.hooks(lambda: [ours], NOWHERE).attempts(NOON))
