import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.events import BranchPushed
from bot.core.model.preview import DeploymentState
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory


def four_pushes(bot: BotInMemory) -> list[BranchPushed]:
    """Three commits and a force-push back to the first."""
    first = bot.push(files={**APP, "n": b"1"})
    second = bot.push(files={**APP, "n": b"2"})
    third = bot.push(files={**APP, "n": b"3"})
    return [first, second, third, bot.force_push("main", first.after)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_whatever_the_order_of_four_deliveries_the_head_wins(order: tuple[int, ...]) -> None:
    bot = BotInMemory()
    pushes = four_pushes(bot)

    for place in order:
        bot.react_to(pushes[place])

    assert bot.served_at("main") == pushes[3].after
    assert all(deployment.is_over for deployment in bot.deployments())


@given(st.data())
def test_pushes_deliveries_intakes_and_deployments_may_overlap_in_any_way(
    data: st.DataObject,
) -> None:
    bot = BotInMemory()
    heads = [bot.push(files={**APP, "n": b"0"}).after]
    undelivered: list[BranchPushed] = []
    for number in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            push = bot.push(files={**APP, "n": str(number).encode()})
        else:
            push = bot.force_push("main", data.draw(st.sampled_from(heads)))
        heads.append(push.after)
        undelivered.append(push)
        if data.draw(st.booleans()):
            bot.deliver(undelivered.pop(data.draw(st.integers(0, len(undelivered) - 1))))
        if data.draw(st.booleans()):
            bot.decide_all()
        if data.draw(st.booleans()):
            bot.deploy_all()
    for push in data.draw(st.permutations(undelivered)):
        bot.deliver(push)
    bot.decide_all()
    bot.deploy_all()

    assert bot.served_at("main") == heads[-1]
    assert all(deployment.is_over for deployment in bot.deployments())
    assert all(check.status == "completed" for check in bot.forge.latest().values())


def test_a_newer_push_gives_up_the_older_one_that_waits() -> None:
    bot = BotInMemory()
    older, newer = bot.push(), bot.push(files={**APP, "n": b"2"})
    bot.source.force(REPOSITORY, "main", older.after)
    bot.deliver(older)
    bot.decide_all()
    bot.source.force(REPOSITORY, "main", newer.after)
    bot.deliver(newer)
    bot.decide_all()

    bot.deploy_all()

    assert [deployment.state for deployment in bot.deployments()] == [
        DeploymentState.SUPERSEDED,
        DeploymentState.LIVE,
    ]
    first = bot.forge.of(bot.deployments()[0].id)[-1]
    assert first.title == f"Cancelled: superseded by {newer.after[:7]}"
    assert len(bot.target.creates) == 1


def test_a_branch_that_moved_on_during_the_build_keeps_its_url() -> None:
    bot = BotInMemory()
    first = bot.push()
    bot.react_to(first)
    bot.deliver(bot.push(files={**APP, "n": b"2"}))
    bot.decide_all()
    bot.push(files={**APP, "n": b"3"})  # nobody has told us yet

    bot.deploy_all()

    assert bot.served_at("main") == first.after
    assert bot.deployments()[-1].state is DeploymentState.SUPERSEDED


def test_the_same_delivery_twice_is_one_deployment() -> None:
    bot = BotInMemory()
    push = bot.push()

    bot.react_to(push, guid="same")
    bot.react_to(push, guid="same")

    assert len(bot.deployments()) == 1


def test_an_old_body_under_a_fresh_guid_is_a_stale_push() -> None:
    bot = BotInMemory()
    old = bot.push()
    bot.react_to(old)
    bot.react_to(bot.push(files={**APP, "n": b"2"}))

    replay = bot.react_to(old)

    assert bot.reason(replay) == "stale-push"
    assert len(bot.deployments()) == 2


def test_branches_that_differ_only_in_case_are_two_previews() -> None:
    bot = BotInMemory()
    lower, upper = bot.push("dev"), bot.push("Dev", files={**APP, "n": b"2"})

    bot.react_to(lower)
    bot.react_to(upper)

    assert bot.served_at("dev") == lower.after
    assert bot.served_at("Dev") == upper.after
