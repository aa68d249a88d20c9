"""The main road for `previewbot deploy`: a directory in, memory instead of a database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.adapters.engine.memory import MemoryJournal
from bot.adapters.git.directory import DirectorySource, commit_for, commit_of
from bot.adapters.local.forge import LocalForge
from bot.adapters.storage.memory import MemoryPostings, MemoryStore
from bot.adapters.storage.memory_pulls import MemoryPulls
from bot.adapters.storage.memory_variables import MemoryVariables
from bot.bootstrap.targets import target_from
from bot.core.decide.names import branch_label, slug_candidates
from bot.core.model.checks import Check
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
    HostLabel,
    RepoName,
    Repository,
    RepositoryId,
    commit_sha,
    repo_name,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment
from bot.core.model.surfaces import Showing, Surface
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.deploy import deploy
from bot.ports.services import Services
from bot.ports.store import PreviewWanted
from bot.settings import Settings, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """How a deployment ended, and what its author would read on the commit."""

    deployment: Deployment
    check: Check | None  # None when nothing was reported


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


def deploy_directory(
    directory: Path,
    *,
    branch: str,
    project: str | None,
    sha: str | None,
    settings: Settings,
    workflow: Workflow,
) -> Deployed:
    """Deploy the files below `directory` as `branch` and return how it ended.

    In a workflow the repository is the workflow's own, so that the URLs are those that the bot
    would choose; elsewhere it is named after the directory.

    Raises:
        ConfigurationProblem: the directory, the commit, the project or a setting is wrong.

    """
    if not branch:
        raise ConfigurationProblem("--branch", "is empty; it names the stable URL")
    root = directory.resolve()
    if not root.is_dir():
        raise ConfigurationProblem("DIR", f"{directory} is not a directory")
    repository = _repository(root, workflow)
    head = _head(root, sha, repository)
    clock, ids = SystemClock(), RandomIds()
    store = MemoryStore(clock, ids)
    shelf = _Shelf()
    target = target_from(settings, clock)
    services = Services(
        forge=LocalForge(shelf),
        source=DirectorySource(root, head),
        target=target,
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

    def label_of(slug: AppSlug) -> HostLabel:
        return branch_label(slug, repository, Branch(branch))

    plan = store.plan(
        DeliveryKey(hook=HookId("cli"), guid=DeliveryGuid(ids.new())),
        head,
        PreviewWanted(
            repository=repository,
            line=BranchLine(Branch(branch)),
            app=AppName(""),
            slug_candidates=_slugs(repository, project),
            label_of=label_of,
        ),
    )
    try:
        deploy(plan.deployment.id, services, MemoryJournal(clock))
    finally:
        target.close()
        services.beside.shutdown()
    return Deployed(deployment=store.deployment(plan.deployment.id), check=shelf.newest)


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


def _slugs(repository: Repository, project: str | None) -> tuple[AppSlug, ...]:
    if project is None:
        return slug_candidates(repository, AppName(""))
    made = slug_candidates(
        Repository(id=repository.id, name=RepoName(f"x/{project}"), default_branch=Branch("")),
        AppName(""),
    )
    if made[0] != project:
        raise ConfigurationProblem(
            "--project", f"{project!r} is no project name; use for example {made[0]!r}"
        )
    return made[:1]
