"""Real git, the real pipeline and a real platform against repositories that mean harm."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from bot.adapters.config.reader import FileConfigReader
from bot.adapters.engine.memory import MemoryJournal
from bot.adapters.git.source import GitSource
from bot.adapters.storage.memory import MemoryStore
from bot.adapters.storage.memory_pulls import MemoryPulls
from bot.adapters.storage.memory_shelves import MemoryPostings
from bot.adapters.storage.memory_variables import MemoryVariables
from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.decide.names import branch_label, slug_candidates
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    DeliveryGuid,
    DeliveryKey,
    HookId,
    HostLabel,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment, DeploymentState
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.deploy import deploy
from bot.ports.services import Services
from bot.ports.store import PreviewWanted
from tests.e2e.hostile_repositories import CASES, LIVE, Case
from tests.fakes.forge import FakeForge
from tests.integration.git.origin import Origin
from tests.subhosting.server import RunningSubhosting

MAIN = Branch("main")


class HastyClock(SystemClock):
    """The real time, but nobody waits long for somebody who is away."""

    @override
    def sleep(self, duration: timedelta) -> None:
        super().sleep(min(duration, timedelta(milliseconds=5)))


@dataclass
class Site:
    """A platform that runs, and a bot in this process that deploys to it."""

    folder: Path
    server: RunningSubhosting
    clock: HastyClock = field(default_factory=HastyClock)
    forge: FakeForge = field(default_factory=FakeForge)

    def deployed(self, case: Case) -> Deployment:
        """Push what the case pushes and take it to its end."""
        number = CASES.index(case) + 1
        origin = Origin(self.folder / "server", f"acme/case{number}")
        repository = Repository(
            id=RepositoryId(number), name=RepoName(f"acme/case{number}"), default_branch=MAIN
        )
        head = case.push(origin)
        store = MemoryStore(self.clock, RandomIds())

        def label_of(slug: AppSlug) -> HostLabel:
            return branch_label(slug, repository, MAIN)

        planned = store.plan(
            DeliveryKey(hook=HookId("1"), guid=DeliveryGuid(case.name)),
            head,
            PreviewWanted(
                repository=repository,
                line=BranchLine(MAIN),
                app=AppName(""),
                slug_candidates=slug_candidates(repository, AppName("")),
                label_of=label_of,
            ),
        )
        with ThreadPoolExecutor(1) as beside:
            target = self.target()
            services = Services(
                forge=self.forge,
                source=GitSource(self.folder / "mirrors", origin.base_url, lambda _: None),
                configs=FileConfigReader(),
                target=target,
                store=store,
                pulls=MemoryPulls(),
                variables=MemoryVariables(self.clock, RandomIds()),
                clock=self.clock,
                page_url=lambda _: None,
                build_timeout=timedelta(minutes=1),
                beside=beside,
                postings=MemoryPostings(),
                manifests={},
                bases={},
            )
            deploy(planned.deployment.id, services, MemoryJournal(self.clock))
            target.close()
        return store.deployment(planned.deployment.id)

    def target(self) -> SubhostingV1Target:
        server = self.server
        platform = Platform(
            name="subhosting",
            api_url=f"{server.api_url}/v1",
            token=server.token,
            organization=server.organization,
            previews_url=f"http://*.localhost:{server.previews_port}",
            dialect=Dialect.EMBEDDED,
        )
        return SubhostingV1Target(platform, self.clock)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    with RunningSubhosting(folder / "data") as server:
        yield Site(folder, server)


def outside(site: Site) -> dict[str, float]:
    """Return every path that nobody may have touched, with when it was changed."""
    # What we write to by right: data directory and log of the server, mirrors, repositories.
    ours = {site.folder / name for name in ("data", "data.log", "mirrors", "server")}
    found: dict[str, float] = {}
    for root in (site.folder, Path.cwd() / "bot", Path("/etc")):
        for place, folders, names in os.walk(root):
            folders[:] = [
                name
                for name in folders
                if Path(place) / name not in ours and name != "__pycache__"
            ]
            # Not the folders' own times: whoever imports our code makes caches beside it.
            for path in (Path(place) / name for name in names):
                if path not in ours:
                    found[str(path)] = path.lstat().st_mtime
    # Tools keep their caches here, in hidden folders.
    return found | {str(each): 0.0 for each in Path.cwd().iterdir() if each.name[0] != "."}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_repository_that_means_harm_does_none(site: Site, case: Case) -> None:
    before = outside(site)

    ended = site.deployed(case)

    check = site.forge.of(ended.id)[-1]
    if case.outcome == LIVE:
        assert ended.state is DeploymentState.LIVE, check.summary
        assert site.server.get(str(ended.url).removeprefix("http://").split(":")[0]).text == (
            "served"
        )
    else:
        assert ended.state is DeploymentState.FAILED
        assert case.outcome in f"{check.title}\n{check.summary}"
    assert outside(site) == before


def test_there_are_at_least_forty_of_them() -> None:
    assert len(CASES) == len({case.name for case in CASES}) >= 40
