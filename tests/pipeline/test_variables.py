"""Variables on their way to a deployment, and kept out of everything that is written."""

from dataclasses import dataclass

import pytest
from typing_extensions import override

from bot.adapters.storage.memory_variables import MemoryVariables
from bot.core.model.briefs import Brief
from bot.core.model.environment import Context, Environment, Trust
from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Generation,
    PreviewId,
    PullNumber,
    RepositoryId,
    TargetDeploymentId,
)
from bot.core.model.lines import PullLine
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Preview
from bot.core.model.variables import OpenVariable, Scope
from bot.pipeline.environment import environment_of
from bot.ports.target import Broken, Observation
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.target import BREAKS, FakeTarget
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

SECRET = "correct horse battery staple"
PREVIEW, PRODUCTION = Scope(context=Context.PREVIEW), Scope(context=Context.PRODUCTION)
RELEASES = Scope(context=Context.BRANCH, branches="release/*")


@dataclass
class TalkativeTarget(FakeTarget):
    """Writes what it was given into every build log, as programs do that dump their state."""

    @override
    def observe(self, deployment: TargetDeploymentId) -> Observation:
        seen = super().observe(deployment)
        match seen:
            case Broken(log):
                return Broken(log=(*log, *self._told(deployment)))
            case _:
                return seen

    @override
    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        return (*super().build_log(deployment), *self._told(deployment))

    def _told(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        given = self.deployments[deployment].order.environment.values()
        return tuple(
            LogLine(level="error", message=f"error: {key} is {value} at file:///src/main.ts:1:1")
            for key, value in given.items()
        )


class LockedVariables(MemoryVariables):
    """A safe whose key is gone."""

    @override
    def opened(self, repository: RepositoryId) -> list[OpenVariable]:
        raise ConfigurationProblem("PREVIEWBOT_ENCRYPTION_KEY", "does not open what is stored")


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory(target=TalkativeTarget())


def given(bot: BotInMemory) -> list[dict[str, str]]:
    return [each.order.environment.values() for each in bot.target.deployments.values()]


def test_a_preview_gets_its_variables_and_not_productions(bot: BotInMemory) -> None:
    bot.variables.put(REPOSITORY.id, PREVIEW, "TOKEN", SECRET)
    bot.variables.put(REPOSITORY.id, RELEASES, "TOKEN", "for releases")
    bot.variables.put(REPOSITORY.id, PRODUCTION, "LIVE", "for production")

    bot.react_to(bot.push("dev"))
    bot.react_to(bot.push("release/1"))

    assert given(bot) == [{"TOKEN": SECRET}, {"TOKEN": "for releases"}]


def test_a_forks_pull_request_gets_none(bot: BotInMemory) -> None:
    bot.variables.put(REPOSITORY.id, PREVIEW, "TOKEN", SECRET)
    bot.variables.put(
        REPOSITORY.id, Scope(context=Context.BRANCH, branches="**"), "BRANCH", SECRET
    )
    fork = Preview(
        id=PreviewId("p"),
        repository=REPOSITORY,
        line=PullLine(PullNumber(7)),
        app=AppName(""),
        slug=AppSlug("hello"),
        label=None,
        generation=Generation(1),
    )

    assert environment_of(fork, Brief(database=True), bot.services()) == Environment(
        trust=Trust.STRANGER
    )


def test_another_repositorys_variables_stay_with_it(bot: BotInMemory) -> None:
    bot.variables.put(RepositoryId(8), PREVIEW, "TOKEN", SECRET)

    bot.react_to(bot.push())

    assert given(bot) == [{}]


@pytest.mark.parametrize("content", [BREAKS, b"works"])
def test_a_value_in_a_build_log_is_masked_wherever_it_is_shown(
    bot: BotInMemory, content: bytes
) -> None:
    bot.variables.put(REPOSITORY.id, PREVIEW, "TOKEN", SECRET)

    bot.react_to(bot.push(files={**APP, "main.ts": content}))

    (deployment,) = bot.deployments()
    lines = [line.message for line in bot.store.log(deployment.id)]
    assert any("TOKEN is [redacted]" in line for line in lines)
    written = repr([lines, bot.forge.history, bot.deployments(), bot.store.stages(deployment.id)])
    assert SECRET not in written


def test_variables_that_cannot_be_opened_fail_the_check_by_the_settings_name() -> None:
    bot = BotInMemory()
    bot.variables = LockedVariables(FakeClock(), FakeIds())

    bot.react_to(bot.push())

    assert bot.target.deployments == {}
    assert "PREVIEWBOT_ENCRYPTION_KEY" in bot.the_check().summary
