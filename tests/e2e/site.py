"""A platform that runs, and a bot in this process that deploys repositories on disk to it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

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
from bot.core.model.briefs import Brief
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    HookId,
    HostLabel,
    PreviewId,
    RepositoryId,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment
from bot.core.model.selection import WHOLE, Selection
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.deploy import deploy
from bot.ports.services import Services
from bot.ports.source import KnownManifest
from bot.ports.store import PreviewWanted
from bot.ports.target import Base
from bot.ports.targets import Targets
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
    stores: dict[RepositoryId, MemoryStore] = field(default_factory=dict)
    manifests: dict[PreviewId, KnownManifest] = field(default_factory=dict)
    bases: dict[tuple[str, AppSlug], Base] = field(default_factory=dict)
    pushes: int = 0

    def deployed(
        self,
        number: int,
        origin: Origin,
        head: CommitSha,
        *,
        url: str | None = None,
        selection: Selection = WHOLE,
    ) -> Deployment:
        """Take a commit of `origin`, the repository of this number, to its end.

        `url` is where repositories are cloned from; by default from the disk.
        """
        self.pushes += 1
        repository = replace(origin.repository, id=RepositoryId(number))
        store = self.stores.setdefault(repository.id, MemoryStore(self.clock, RandomIds()))

        def label_of(slug: AppSlug) -> HostLabel:
            return branch_label(slug, repository, MAIN)

        planned = store.plan(
            DeliveryKey(hook=HookId("1"), guid=DeliveryGuid(str(self.pushes))),
            head,
            PreviewWanted(
                repository=repository,
                line=BranchLine(MAIN),
                app=AppName(""),
                slug_candidates=slug_candidates(repository, AppName("")),
                label_of=label_of,
            ),
            Brief(selection=selection),
        )
        with ThreadPoolExecutor(1) as beside:
            target = self.target()
            source = GitSource(self.folder / "mirrors", url or origin.base_url, lambda _: None)
            services = Services(
                forge=self.forge,
                source=source,
                configs=FileConfigReader(),
                targets=Targets(usual=target),
                store=store,
                pulls=MemoryPulls(),
                variables=MemoryVariables(self.clock, RandomIds()),
                clock=self.clock,
                page_url=lambda _: None,
                build_timeout=timedelta(minutes=1),
                beside=beside,
                postings=MemoryPostings(),
                manifests=self.manifests,
                bases=self.bases,
            )
            deploy(planned.deployment.id, services, MemoryJournal(self.clock))
            target.close()
            source.close()
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
