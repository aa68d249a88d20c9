"""Ports -> Snapshot: every fact that the decision about an event may read."""

from collections.abc import Collection
from dataclasses import replace
from typing import assert_never, get_args

from bot.core.decide.approvals import objection
from bot.core.decide.requests import request_of
from bot.core.model.commands import Misunderstood, Request, Verb
from bot.core.model.errors import RecordNotFound
from bot.core.model.events import (
    AppUninstalled,
    BranchDeleted,
    BranchPushed,
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    CommentWritten,
    Event,
    PreviewExpired,
    PullRequestChanged,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
    RepositoryTransferred,
)
from bot.core.model.ids import (
    CommitSha,
    DeliveryKey,
    DeploymentId,
    Login,
    Repository,
    RepositoryId,
    commit_sha,
)
from bot.core.model.lines import PRODUCTION, BranchLine, Line, ProductionLine, PullLine
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.pulls import Asker, PullRequest
from bot.core.model.snapshot import Snapshot
from bot.pipeline.configuration import Configured, configured, configured_unseen, in_production
from bot.ports.services import Services

_PULL_REQUEST_CHANGED = get_args(PullRequestChanged)


def gather(  # noqa: C901, PLR0911 - an arm for each kind of event
    event: Event, delivery: DeliveryKey, services: Services
) -> Snapshot:
    """Return the facts about the event's branch or pull request as they are now.

    Raises:
        SourceUnavailable: a branch's head could not be asked for.
        ForgeUnavailable: a pull request could not.

    """
    planned = bool(services.store.planned_by(delivery))
    match event:
        case BranchPushed():
            return _of_push(event, services, planned=planned)
        case BranchDeleted():
            head = services.source.head(event.repository, event.branch)
            return Snapshot(head_now=head, planned=planned, apps=())
        case CommentWritten():
            return _of_comment(event, services, planned=planned)
        case CheckRerequested() | CheckActionRequested() | CheckSuiteRerequested():
            return _of_button(event, services, planned=planned)
        case _ if isinstance(event, _PULL_REQUEST_CHANGED):
            return _of_pull(event, services, planned=planned)
        case PreviewExpired():
            attempts = _newest_on(event, services)
            return Snapshot(head_now=None, planned=planned, apps=(), standing=attempts)
        case RepositoryRenamed() | RepositoryTransferred() | RepositoryPrivatized():
            standing = _standing({event.repository.id}, services)
            return Snapshot(head_now=None, planned=planned, apps=(), standing=standing)
        case RepositoryDeleted() | RepositoriesRemoved() | AppUninstalled():
            return _of_what_is_gone(event, services, planned=planned)
        case _:
            assert_never(event)  # type: ignore[arg-type] # mypy does not see the arm with isinstance


def _of_push(event: BranchPushed, services: Services, *, planned: bool) -> Snapshot:
    repository, line = event.repository, BranchLine(event.branch)
    head = services.source.head(repository, event.branch)
    found = Configured()
    if planned or head == event.after:  # else nothing will come of it
        found = configured(repository, line, event.after, services)
    return Snapshot(
        head_now=head,
        planned=planned,
        apps=found.apps,
        setup=found.setup,
        message=found.message,
        pulls=tuple(services.pulls.open_from(repository.id, event.branch)),
        production=in_production(repository, event.branch, found, services),
        standing=_occupying(repository.id, services),
        most=services.lifetimes.most,
    )


def _of_pull(event: PullRequestChanged, services: Services, *, planned: bool) -> Snapshot:
    repository = event.repository
    pull = services.forge.pull(repository, event.pull.number)
    if pull is None:
        return Snapshot(head_now=None, planned=planned, apps=())
    line = pull.line(repository)
    head: CommitSha | None = None
    match line:
        case BranchLine(branch) if pull.is_open:
            head = services.source.head(repository, branch)
        case PullLine() if pull.is_open:
            head = pull.head
    approval = services.pulls.approval(repository.id, pull.number, pull.head)
    found = Configured()
    if head is not None and (approval is not None or isinstance(line, BranchLine)):
        found = configured(repository, line, head, services)
    elif head is not None:
        found = configured_unseen(repository, line, services)
    others = services.pulls.open_from(repository.id, pull.head_branch)
    return Snapshot(
        head_now=head,
        planned=planned,
        apps=found.apps,
        setup=found.setup,
        message=found.message,
        pull=pull,
        pulls=tuple(others) if isinstance(line, BranchLine) else (),
        approved=approval is not None,
        standing=_occupying(repository.id, services),
        most=services.lifetimes.most,
    )


def _of_comment(event: CommentWritten, services: Services, *, planned: bool) -> Snapshot:
    """Return what a command on a pull request is about, and what its author may do now."""
    repository = event.repository
    asker = _asker(repository, event.author, services)
    request = request_of(event, None)
    if isinstance(request, Request) and request.command.production:
        found = _asked_about(repository, PRODUCTION, None, services, planned=planned, grants=False)
        return replace(found, asker=asker)
    pull = services.forge.pull(repository, event.pull)
    if pull is None:
        return Snapshot(head_now=None, planned=planned, apps=(), asker=asker)
    grants = _grants(request, pull, asker)
    found = _asked_about(
        repository, pull.line(repository), pull, services, planned=planned, grants=grants
    )
    return replace(found, asker=asker)


def _of_button(
    event: CheckRerequested | CheckActionRequested | CheckSuiteRerequested,
    services: Services,
    *,
    planned: bool,
) -> Snapshot:
    """Return the same for a button, which stands on the check of an attempt."""
    repository = event.repository
    asker = _asker(repository, event.sender, services)
    found: list[Snapshot] = []
    for attempt in _attempts_of(event, services):
        line = attempt.preview.line
        pull = services.forge.pull(repository, line.pull) if isinstance(line, PullLine) else None
        grants = _grants(request_of(event, attempt), pull, asker)
        about = _asked_about(repository, line, pull, services, planned=planned, grants=grants)
        found.append(replace(about, asker=asker, attempt=attempt))
    if not found:
        return Snapshot(head_now=None, planned=planned, apps=(), asker=asker)
    return replace(found[0], others=tuple(found[1:]))


def _attempts_of(
    event: CheckRerequested | CheckActionRequested | CheckSuiteRerequested, services: Services
) -> list[Deployment]:
    """Return the repository's attempt that a check stands for, if there is one.

    Of a whole suite one for each line that its commit is on, whichever app's: it means them all.
    """
    if isinstance(event, CheckSuiteRerequested):
        newest = _standing({event.repository.id}, services)
        by_line = {each.preview.line: each for each in newest if each.head == event.head}
        return list(by_line.values())
    try:
        found = services.store.deployment(DeploymentId(event.external_id))
    except RecordNotFound:
        return []
    return [found] if found.preview.repository.id == event.repository.id else []


def _grants(
    request: Request | Misunderstood | None, pull: PullRequest | None, asker: Asker
) -> bool:
    """Return whether what somebody asks for is to let the head of a fork run, and they may."""
    if pull is None or not isinstance(request, Request):
        return False
    said = commit_sha(request.command.to or "")
    return (
        request.command.verb is Verb.APPROVE
        and said is not None
        and objection(said, pull, request.repository, asker) is None
    )


def _asked_about(
    repository: Repository,
    line: Line,
    pull: PullRequest | None,
    services: Services,
    *,
    planned: bool,
    grants: bool,
) -> Snapshot:
    """Return how a line stands, on which somebody asks for something.

    Nothing of a fork's head is fetched before it is approved, or unless this request `grants` it.
    """
    is_open = pull is None or pull.is_open
    head: CommitSha | None = None
    pulls: tuple[PullRequest, ...] = ()
    match line:
        case BranchLine(branch):
            head = services.source.head(repository, branch) if is_open else None
            pulls = tuple(services.pulls.open_from(repository.id, branch))
        case PullLine():
            head = pull.head if pull is not None and is_open else None
        case ProductionLine():
            head = services.source.head(repository, repository.default_branch)
    approval = None
    if pull is not None and head is not None:
        approval = services.pulls.approval(repository.id, pull.number, head)
    found = Configured()
    if head is not None and (approval is not None or grants or not isinstance(line, PullLine)):
        found = configured(repository, line, head, services)
    elif head is not None:
        found = configured_unseen(repository, line, services)
    return Snapshot(
        head_now=head,
        planned=planned,
        apps=found.apps,
        setup=found.setup,
        message=found.message,
        pull=pull,
        pulls=pulls,
        line=line,
        production=in_production(repository, repository.default_branch, found, services),
        trunk=services.source.head(repository, repository.default_branch),
        history=tuple(services.store.attempts_on(repository.id, line)),
        approved=approval is not None,
        standing=_occupying(repository.id, services),
        most=services.lifetimes.most,
    )


def _asker(repository: Repository, login: Login, services: Services) -> Asker:
    return Asker(login=login, permission=services.forge.permission(repository, login))


def _of_what_is_gone(
    event: RepositoryDeleted | RepositoriesRemoved | AppUninstalled,
    services: Services,
    *,
    planned: bool,
) -> Snapshot:
    """Return the previews of those repositories that we were told of and cannot reach."""
    told = _told(event, services)
    gone = {
        repository.id for repository in told.values() if not services.forge.reaches(repository)
    }
    return Snapshot(
        head_now=None,
        planned=planned,
        apps=(),
        standing=_standing(gone, services),
        reachable=bool(told) and not gone,
    )


def _told(
    event: RepositoryDeleted | RepositoriesRemoved | AppUninstalled, services: Services
) -> dict[RepositoryId, Repository]:
    """Return the repositories with previews that an event is about."""
    standing = {preview.repository.id: preview.repository for preview in services.store.standing()}
    match event:
        case RepositoryDeleted():
            about = {event.repository.id}
        case RepositoriesRemoved():
            about = set(event.repositories)
        case AppUninstalled():
            about = {
                number
                for number, repository in standing.items()
                if repository.installation == event.installation
            }
        case _:
            assert_never(event)
    return {number: standing[number] for number in about & standing.keys()}


def _occupying(repository: RepositoryId, services: Services) -> tuple[Deployment, ...]:
    """Return an attempt of each preview that has something on the platform, or is about to."""
    found = []
    for attempt in _standing({repository}, services):
        preview = attempt.preview
        if attempt.state in {DeploymentState.WAITING, DeploymentState.SKIPPED}:
            live = services.store.newest_live(repository, preview.line, preview.app)
            found += [] if live is None else [live]
        else:
            found.append(attempt)
    return tuple(found)


def _newest_on(event: PreviewExpired, services: Services) -> tuple[Deployment, ...]:
    standing = _standing({event.repository.id}, services)
    return tuple(attempt for attempt in standing if attempt.preview.line == event.line)


def _standing(
    repositories: Collection[RepositoryId], services: Services
) -> tuple[Deployment, ...]:
    return tuple(
        attempt
        for attempt in services.store.newest_standing()
        if attempt.preview.repository.id in repositories
    )
