"""The stages of a running attempt on its check: told beside the work, never after its end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from queue import Empty, Queue

import pytest
from typing_extensions import override

from bot.adapters.engine.memory import MemoryJournal
from bot.core.model.checks import Check
from bot.core.model.ids import DeploymentId, TargetDeploymentId
from bot.core.model.preview import BuildPhase, DeploymentState, Stage
from bot.pipeline.deploy import deploy
from bot.pipeline.narrator import Narrator, narrated
from bot.ports.services import Services
from bot.ports.target import Building, Following
from tests.fakes.forge import FakeForge
from tests.fakes.target import FakeTarget
from tests.pipeline.bot_in_memory import BotInMemory


@dataclass
class HeardForge(FakeForge):
    """Tells a test of each check as soon as it stands."""

    titles: Queue[str] = field(default_factory=Queue)

    @override
    def publish(self, check: Check, ref: str | None) -> str:
        made = super().publish(check, ref)
        self.titles.put(check.title)
        return made


@pytest.fixture
def forge() -> HeardForge:
    return HeardForge()


@pytest.fixture
def services(forge: HeardForge) -> Iterator[Services]:
    bot = BotInMemory(forge=forge)
    bot.deliver(bot.push())
    bot.decide_all()
    assert forge.titles.get(timeout=10) == "Queued"
    with ThreadPoolExecutor(2) as beside:
        yield replace(bot.services(), beside=beside, between_words=timedelta())


def key_in(services: Services) -> DeploymentId:
    return services.store.recent(1)[0].id


def test_a_phase_of_the_build_is_told_in_its_own_words(
    services: Services, forge: HeardForge
) -> None:
    with narrated(key_in(services), services) as narrator:
        told = []
        for phase in (None, BuildPhase.INSTALLING, BuildPhase.DEPLOYING):
            narrator.at(Stage.BUILD, phase)
            told.append(forge.titles.get(timeout=10))

    assert told == ["Building", "Building: installing packages", "Building: starting the app"]


def test_each_stage_that_lasts_is_told(services: Services, forge: HeardForge) -> None:
    with narrated(key_in(services), services) as narrator:
        told = []
        for stage in (Stage.ACQUIRE, Stage.UPLOAD, Stage.BUILD):
            narrator.at(stage)
            told.append(forge.titles.get(timeout=10))

    assert told == ["Fetching the commit", "Sending what changed", "Building"]


def test_between_two_words_stages_may_pass_untold(services: Services, forge: HeardForge) -> None:
    slow = replace(services, between_words=timedelta(hours=1))

    with narrated(key_in(services), slow) as narrator:
        narrator.at(Stage.ACQUIRE)
        assert forge.titles.get(timeout=10) == "Fetching the commit"
        narrator.at(Stage.UPLOAD)
        narrator.at(Stage.BUILD)

    with pytest.raises(Empty):
        forge.titles.get_nowait()


def test_an_attempt_that_is_over_at_once_was_still_told_of_once(
    services: Services, forge: HeardForge
) -> None:
    with narrated(key_in(services), services) as narrator:
        narrator.at(Stage.ACQUIRE)

    assert forge.titles.get_nowait() == "Fetching the commit"


def test_nothing_is_told_after_the_end(services: Services, forge: HeardForge) -> None:
    narrator = Narrator(key_in(services), services)
    narrator.close()

    narrator.at(Stage.REPORT)
    narrator.wait_until_shown()

    with pytest.raises(Empty):
        forge.titles.get_nowait()


def test_a_forge_that_is_away_is_no_trouble_for_the_work(
    services: Services, forge: HeardForge
) -> None:
    forge.away_for = 10_000

    with narrated(key_in(services), services) as narrator:
        narrator.at(Stage.ACQUIRE)
    narrator.wait_until_shown()

    assert forge.deployments() == {}


@dataclass
class SlowTarget(FakeTarget):
    """Says where its build stands, and goes on when that has been told."""

    titles: Queue[str] = field(default_factory=Queue)

    @override
    def follow(self, deployment: TargetDeploymentId) -> Following:
        yield Building(phase=BuildPhase.INSTALLING)
        while self.titles.get(timeout=10) != "Building: installing packages":
            pass
        yield from super().follow(deployment)


def test_what_the_platform_says_of_its_build_stands_on_the_check() -> None:
    forge = HeardForge()
    bot = BotInMemory(forge=forge, target=SlowTarget(titles=forge.titles))
    bot.deliver(bot.push())
    bot.decide_all()
    with ThreadPoolExecutor(2) as beside:
        services = replace(bot.services(), beside=beside, between_words=timedelta())

        deploy(key_in(services), services, MemoryJournal(bot.clock))

    assert bot.deployments()[0].state is DeploymentState.LIVE
