"""The main road for `previewbot deploy`: a directory in, memory instead of a database."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.engine.memory import MemoryJournal
from bot.adapters.git.ahead import Ahead
from bot.adapters.git.directory import DirectorySource, commit_for, commit_of
from bot.adapters.local.forge import LocalForge
from bot.adapters.storage.memory import MemoryStore
from bot.adapters.storage.memory_pulls import MemoryPulls
from bot.adapters.storage.memory_shelves import MemoryPostings
from bot.adapters.storage.memory_variables import MemoryVariables
from bot.bootstrap.targets import targets_from
from bot.core.decide.names import branch_label, slug_candidates
from bot.core.decide.starting import Beginning, beginnings
from bot.core.model.briefs import Brief
from bot.core.model.checks import Check
from bot.core.model.config import ConfigFile, DenoFile
from bot.core.model.decisions import SkipDeployment, StartDeployment
from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    DeploymentId,
    HookId,
    RepoName,
    Repository,
    RepositoryId,
    commit_sha,
    repo_name,
)
from bot.core.model.lines import BranchLine
from bot.core.model.occasions import Trigger
from bot.core.model.preview import Deployment
from bot.core.model.snapshot import Snapshot
from bot.core.model.surfaces import Showing, Surface
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.conclude import conclude
from bot.pipeline.configuration import configured
from bot.pipeline.deploy import deploy
from bot.ports.services import Services
from bot.ports.store import PreviewWanted
from bot.settings import Settings, Workflow

if TYPE_CHECKING:
    from bot.adapters.config.reader import FileConfigReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """How a deployment ended, and what its author would read on the commit."""

    deployment: Deployment
    check: Check | None  # None when nothing was reported


class _ConfigReader:
    """Imports the reader of configurations, and YAML with it, only when there is one to read."""

    def __init__(self, targets: Collection[str]) -> None:
        self._targets = targets

    def read(self, path: str, content: bytes) -> ConfigFile:
        """Return what a `.github/previewbot.yml` says, or what is wrong with it and where."""
        return self._reader().read(path, content)

    def read_deno(self, path: str, content: bytes) -> DenoFile:
        """Return what the `deploy` key of a deno.json says."""
        return self._reader().read_deno(path, content)

    def _reader(self) -> "FileConfigReader":
        from bot.adapters.config.reader import FileConfigReader  # noqa: PLC0415 - see above

        return FileConfigReader(self._targets)


class _Shelf:
    """Keeps the newest check, for whoever ran the command."""

    def __init__(self) -> None:
        self.newest: Check | None = None

    def put(self, check: Check) -> str:
        """Return the check's natural key."""
        self.newest = check
        return check.deployment

    def of(self, deployment: DeploymentId) -> Check | None:  # noqa: ARG002 - there is only one
        """Return the newest check."""
        return self.newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be made of a directory."""

    branch: Branch  # names the stable URL
    app: str | None = None  # of the configuration's, where it has several
    project: str | None = None  # on the platform; None: by the repository
    sha: str | None = None  # the commit that the directory holds; None: asked of git


def deploy_directory(
    directory: Path, wanted: Wanted, *, settings: Settings, workflow: Workflow, ahead: Ahead
) -> Deployed:
    """Deploy the files below `directory` and return how it ended.

    In a workflow the repository is the workflow's own, so that the URLs are those that the bot
    would choose; elsewhere it is named after the directory. All of the configuration there
    counts: whoever runs this may say so. `ahead` has begun to look at the directory.

    Raises:
        ConfigurationProblem: the directory, the commit, the project or a setting is wrong.

    """
    if not wanted.branch:
        raise ConfigurationProblem("--branch", "is empty; it names the stable URL")
    root = directory.resolve()
    if not root.is_dir():
        raise ConfigurationProblem("DIR", f"{directory} is not a directory")
    repository = _repository(root, workflow)
    head = _head(root, wanted.sha, repository)
    clock, ids = SystemClock(), RandomIds()
    store = MemoryStore(clock, ids)
    shelf = _Shelf()
    targets = targets_from(settings, clock)
    services = Services(
        forge=LocalForge(shelf),
        source=DirectorySource(root, head, ahead=ahead),
        configs=_ConfigReader(settings.targets),
        targets=targets,
        store=store,
        pulls=MemoryPulls(),
        variables=MemoryVariables(clock, ids),
        clock=clock,
        page_url=lambda _: None,
        build_timeout=timedelta(seconds=settings.build_timeout_s),
        postings=MemoryPostings(),
        showing=Showing(surfaces=frozenset({Surface.CHECK})),
        beside=ThreadPoolExecutor(1),
        manifests={},
        bases={},
        entrypoint=settings.entrypoint,
    )

    try:
        planned = _planned(services, repository, head, wanted)
        deploy(planned, services, MemoryJournal(clock))
    finally:
        for target in targets:
            target.close()
        services.beside.shutdown()
    return Deployed(deployment=store.deployment(planned), check=shelf.newest)


def _planned(
    services: Services, repository: Repository, head: CommitSha, wanted: Wanted
) -> DeploymentId:
    """Plan the app of the directory's configuration; one that may not be deployed is over then.

    Raises:
        ConfigurationProblem: it is not clear which app is meant.

    """
    line = BranchLine(wanted.branch)
    found = configured(repository, line, head, services)
    snapshot = Snapshot(head_now=head, planned=False, apps=found.apps, setup=found.setup)
    begun = beginnings(repository, line, head, snapshot, Trigger.PERSON)
    beginning = _chosen(begun, wanted.app)
    app = beginning.app
    preview = PreviewWanted(
        repository=repository,
        line=line,
        app=app,
        slug_candidates=_slugs(repository, app, wanted.project),
        label_of=lambda slug: branch_label(slug, repository, wanted.branch),
    )
    delivery = DeliveryKey(hook=HookId("cli"), guid=DeliveryGuid(app))
    match beginning:
        case StartDeployment(brief=brief):
            if services.entrypoint is not None:  # as it was given just now
                brief = replace(brief, recipe=replace(brief.recipe, entrypoint=None))
            return services.store.plan(delivery, head, preview, brief).deployment.id
        case SkipDeployment(outcome=outcome):
            brief = Brief(deploys=False)
            key = services.store.plan(delivery, head, preview, brief).deployment.id
            conclude(key, outcome, services, MemoryJournal(services.clock))
            return key


def _chosen(begun: Sequence[Beginning], name: str | None) -> Beginning:
    if name is None and len(begun) == 1:
        return begun[0]
    names = ", ".join(each.app for each in begun)
    if name is None:
        raise ConfigurationProblem("--app", f"is missing; the configuration has {names}")
    chosen = next((each for each in begun if each.app == name), None)
    if chosen is None:
        known = f"it has {names}" if names else "it has only one app, without a name"
        raise ConfigurationProblem("--app", f"the configuration has no app {name!r}; {known}")
    return chosen


def _repository(root: Path, workflow: Workflow) -> Repository:
    name = repo_name(workflow.repository or "") or RepoName(f"local/{root.name or 'app'}")
    return Repository(
        id=RepositoryId(workflow.repository_id or 0), name=name, default_branch=Branch("")
    )


def _head(root: Path, given: str | None, repository: Repository) -> CommitSha:
    """Return the commit that is deployed: as given, as git says, or made from the content."""
    if given is None:
        nameless = CommitSha("")
        return commit_of(root) or commit_for(DirectorySource(root).manifest(repository, nameless))
    known = commit_sha(given)
    if known is None:
        raise ConfigurationProblem("--sha", f"{given!r} is not a full commit id of 40 hex digits")
    return known


def _slugs(repository: Repository, app: AppName, project: str | None) -> tuple[AppSlug, ...]:
    if project is None:
        return slug_candidates(repository, app)
    made = slug_candidates(
        Repository(id=repository.id, name=RepoName(f"x/{project}"), default_branch=Branch("")),
        AppName(""),
    )
    if made[0] != project:
        raise ConfigurationProblem(
            "--project", f"{project!r} is no project name; use for example {made[0]!r}"
        )
    return made[:1]
