"""Ports -> Snapshot: every fact that the decision about an event may read."""

from collections.abc import Collection
from typing import assert_never, get_args

from bot.core.model.events import (
    AppUninstalled,
    BranchDeleted,
    BranchPushed,
    Event,
    PreviewExpired,
    PullRequestChanged,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
    RepositoryTransferred,
)
from bot.core.model.ids import CommitSha, DeliveryKey, Repository, RepositoryId
from bot.core.model.lines import BranchLine, PullLine
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.snapshot import Snapshot
from bot.pipeline.configuration import Configured, configured, configured_unseen
from bot.ports.services import Services

_PULL_REQUEST_CHANGED = get_args(PullRequestChanged)


def gather(  # noqa: PLR0911 - an arm for each kind of event
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
            return Snapshot(head_now=None, planned=planned, apps=())


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
