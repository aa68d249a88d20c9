"""Pull requests from branches of the repository: more names of the branches' previews."""

import itertools
from dataclasses import replace

import pytest

from bot.core.model.checks import Conclusion
from bot.core.model.errors import ForgeRefused
from bot.core.model.events import Event, PullRequestConvertedToDraft, PullRequestRetargeted
from bot.core.model.ids import Branch
from bot.core.model.preview import DeploymentState
from bot.core.model.surfaces import Showing, Surface
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

PULL_URL = "https://hello--pr-1.preview.test"


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def test_a_pull_request_of_a_live_branch_gets_its_url_without_a_deployment(
    bot: BotInMemory,
) -> None:
    push = bot.push("dev")
    bot.react_to(push)

    key = bot.react_to(bot.open_pull("dev"))

    assert bot.reason(key) == "pull-request-shown"
    assert bot.served_for(1) == bot.served_at("dev") == push.after
    assert len(bot.deployments()) == 1


def test_a_pull_request_of_a_live_branch_gets_its_comment_at_once() -> None:
    bot = BotInMemory(showing=Showing(surfaces=frozenset({Surface.COMMENT})))
    push = bot.push("dev")
    bot.react_to(push)

    bot.react_to(bot.open_pull("dev"))
    bot.react_to(bot.open_pull("dev", number=2))

    bodies = [comment.body for comment in bot.forge.comments.values()]
    assert [comment.pull for comment in bot.forge.comments.values()] == [1, 2]
    assert all(push.after[:7] in body for body in bodies)


def test_a_pull_request_that_is_told_first_deploys_its_branch(bot: BotInMemory) -> None:
    push = bot.push("dev")

    first = bot.react_to(bot.open_pull("dev"))
    second = bot.react_to(push)

    assert (bot.reason(first), bot.reason(second)) == ("deploy", "already-handled")
    assert bot.served_for(1) == bot.served_at("dev") == push.after
    assert PULL_URL in bot.the_check().summary


def test_a_push_moves_the_url_of_the_pull_request_too(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))

    push = bot.push("dev", {**APP, "n": b"2"})
    bot.react_to(push)
    bot.react_to(bot.synchronized())

    assert bot.served_for(1) == bot.served_at("dev") == push.after
    assert len(bot.deployments()) == 2


def test_a_pull_request_opened_while_its_branch_is_deployed_is_shown_too(
    bot: BotInMemory,
) -> None:
    push = bot.push("dev")
    bot.deliver(push)
    bot.decide_all()
    opened = bot.open_pull("dev")
    bot.deliver(opened)
    bot.decide_all()

    bot.deploy_all()

    assert bot.served_for(1) == push.after


def test_a_pull_request_opened_between_binding_and_the_end_is_shown_too(
    bot: BotInMemory,
) -> None:
    push = bot.push("dev")
    opened = bot.open_pull("dev")
    bot.deliver(push)
    bot.decide_all()
    binds = bot.target.bind

    def bind_and_open(*arguments: object) -> str | None:
        url = binds(*arguments)  # type: ignore[arg-type]
        if str(arguments[1]) == "hello--dev":
            bot.deliver(opened)
        return url

    bot.target.bind = bind_and_open  # type: ignore[assignment, method-assign]
    bot.deploy_all()
    bot.decide_all()

    assert bot.served_for(1) == push.after


def test_two_pull_requests_of_one_branch_both_serve_it(bot: BotInMemory) -> None:
    push = bot.push("dev")
    bot.react_to(push)
    bot.react_to(bot.open_pull("dev", number=1))
    bot.react_to(bot.open_pull("dev", number=2))

    assert bot.served_for(1) == bot.served_for(2) == push.after


@pytest.mark.parametrize("merged", [False, True])
def test_a_closed_pull_request_loses_its_url_and_the_branch_keeps_its_own(
    bot: BotInMemory,
    merged: bool,  # noqa: FBT001 - a case
) -> None:
    push = bot.push("dev")
    bot.react_to(push)
    bot.react_to(bot.open_pull("dev"))

    key = bot.react_to(bot.close_pull(merged=merged))

    assert bot.reason(key) == "pull-request-closed"
    assert bot.served_for(1) is None
    assert bot.served_at("dev") == push.after


def test_a_push_after_the_end_of_a_pull_request_does_not_bring_it_back(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))
    bot.react_to(bot.close_pull())

    bot.react_to(bot.push("dev", {**APP, "n": b"2"}))

    assert bot.served_for(1) is None


def test_a_reopened_pull_request_gets_its_url_back(bot: BotInMemory) -> None:
    push = bot.push("dev")
    bot.react_to(push)
    bot.react_to(bot.open_pull("dev"))
    bot.react_to(bot.close_pull())

    bot.react_to(bot.reopen_pull())

    assert bot.served_for(1) == push.after


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_whatever_the_order_of_the_deliveries_what_the_forge_says_holds(
    bot: BotInMemory, order: tuple[int, ...]
) -> None:
    push = bot.push("dev")
    opened = bot.open_pull("dev")
    events: list[Event] = [push, opened, bot.close_pull(), bot.reopen_pull()]

    for place in order:
        bot.react_to(events[place])

    assert bot.served_for(1) == bot.served_at("dev") == push.after
    assert len(bot.deployments()) == 1


def test_a_merged_pull_request_whose_branch_was_deleted_leaves_nothing(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))

    closed, deleted = bot.close_pull(merged=True), bot.delete_branch("dev")
    bot.react_to(deleted)
    bot.react_to(closed)

    assert bot.target.deployments == {}
    assert bot.target.bindings == {}


def test_a_branch_deleted_under_its_open_pull_request_says_so(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    opened = bot.open_pull("dev")
    bot.react_to(bot.delete_branch("dev"))

    key = bot.react_to(opened)

    assert bot.reason(key) == "stale-push"
    assert "its branch dev is gone" in (bot.inbox.records[key].detail or "")
    assert bot.target.deployments == {}


def test_another_base_and_a_draft_change_nothing_of_the_preview(bot: BotInMemory) -> None:
    push = bot.push("dev")
    bot.react_to(push)
    bot.react_to(bot.open_pull("dev"))
    stacked = bot._known(replace(bot.pull(), base_branch=Branch("next"), draft=True))

    bot.react_to(
        PullRequestRetargeted(repository=REPOSITORY, pull=stacked, former_base=Branch("main"))
    )
    bot.react_to(PullRequestConvertedToDraft(repository=REPOSITORY, pull=stacked))

    assert bot.served_for(1) == push.after
    assert len(bot.deployments()) == 1
    closed = bot.react_to(bot.close_pull())
    assert bot.reason(closed) == "pull-request-closed"
    assert bot.served_for(1) is None


def test_a_pull_request_that_the_forge_does_not_know_is_let_be(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    opened = bot.open_pull("dev")
    bot.forge.pulls.clear()

    key = bot.react_to(opened)

    assert bot.reason(key) == "pull-request-gone"


def test_a_platform_that_refuses_the_url_of_a_pull_request_costs_the_branch_nothing(
    bot: BotInMemory,
) -> None:
    push = bot.push("dev")
    bot.react_to(push)
    bot.target.unavailable_calls = 1000

    bot.react_to(bot.open_pull("dev"))

    assert bot.served_at("dev") == push.after
    assert bot.served_for(1) is None
    assert bot.the_check().conclusion is Conclusion.SUCCESS
    assert bot.deployments()[0].state is DeploymentState.LIVE


def test_a_pull_request_that_the_forge_keeps_from_us_is_decided_by_its_refusal(
    bot: BotInMemory,
) -> None:
    bot.push("dev")
    opened = bot.open_pull("dev")
    bot.forge.refusal = ForgeRefused("GET pulls/1", status=403, message="Not accessible")

    key = bot.react_to(opened)

    assert bot.reason(key) == "forge-refused"
    assert bot.inbox.records[key].detail == "GET pulls/1 was refused (403): Not accessible"
    assert bot.deployments() == []
