"""`kill -9` at each point of the road, on journals with and without a memory.

The engine only saves work: with a journal that forgot everything the outcome is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from typing_extensions import override

from bot.adapters.engine.memory import MemoryJournal, Steps
from bot.core.model.checks import Conclusion
from bot.core.model.preview import DeploymentState
from bot.ports.target import BlobReader, Created, Order
from tests.fakes.journal import Killed, MortalJournal
from tests.fakes.target import FakeTarget
from tests.pipeline.bot_in_memory import BotInMemory


@dataclass
class DeadlyTarget(FakeTarget):
    """Kills whoever creates, before the request leaves or before the answer arrives; once."""

    before_create: bool = False
    before_answer: bool = False

    @override
    def create(self, order: Order, read: BlobReader) -> Created:
        if self.before_create:
            self.before_create = False
            raise Killed("before the create left")
        created = super().create(order, read)
        if self.before_answer:
            self.before_answer = False
            raise Killed("before the answer came")
        return created


def remembering(steps: Steps) -> Steps:
    return steps


def forgetting(_steps: Steps) -> Steps:
    return {}


@pytest.fixture(params=[remembering, forgetting])
def memory(request: pytest.FixtureRequest) -> Callable[[Steps], Steps]:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("point", ["before_create", "before_answer", "before_checkpoint"])
def test_a_worker_killed_around_the_create_ends_live_with_one_of_each(
    point: str, memory: Callable[[Steps], Steps]
) -> None:
    target = DeadlyTarget(
        before_create=point == "before_create", before_answer=point == "before_answer"
    )
    bot = BotInMemory(target=target)
    bot.deliver(bot.push())
    bot.decide_all()
    (queued,) = bot.inbox.deployments
    journal = MortalJournal("upload", bot.clock)

    with pytest.raises(Killed):
        bot.run_deployment(queued.deployment, journal)
    bot.run_deployment(queued.deployment, MemoryJournal(bot.clock, memory(journal.steps)))

    (deployment,) = bot.deployments()
    assert deployment.state is DeploymentState.LIVE
    assert len(bot.target.deployments) == 1
    assert bot.the_check().conclusion is Conclusion.SUCCESS


@pytest.mark.parametrize(
    "step", ["begin", "acquire", "upload", "build", "probe", "bind", "report"]
)
def test_a_worker_killed_after_any_step_ends_live_with_one_of_each(
    step: str, memory: Callable[[Steps], Steps]
) -> None:
    bot = BotInMemory()
    push = bot.push()
    bot.deliver(push)
    bot.decide_all()
    (queued,) = bot.inbox.deployments
    journal = MortalJournal(step, bot.clock)

    with pytest.raises(Killed):
        bot.run_deployment(queued.deployment, journal)
    bot.run_deployment(queued.deployment, MemoryJournal(bot.clock, memory(journal.steps)))

    assert [deployment.state for deployment in bot.deployments()] == [DeploymentState.LIVE]
    assert len(bot.target.deployments) == 1
    assert bot.the_check().conclusion is Conclusion.SUCCESS
    assert bot.served_at("main") == push.after


@pytest.mark.parametrize("step", ["decide", "perform", "hand_over"])
def test_a_worker_killed_in_the_intake_plans_one_deployment(
    step: str, memory: Callable[[Steps], Steps]
) -> None:
    bot = BotInMemory()
    key = bot.deliver(bot.push())
    journal = MortalJournal(step, bot.clock)

    with pytest.raises(Killed):
        bot.run_intake(key, journal)
    bot.run_intake(key, MemoryJournal(bot.clock, memory(journal.steps)))
    bot.deploy_all()

    assert bot.reason(key) == "deploy"
    assert [deployment.state for deployment in bot.deployments()] == [DeploymentState.LIVE]
    assert len(bot.forge.latest()) == 1
