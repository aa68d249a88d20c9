"""Ports -> Snapshot: every fact that the decision about an event may read."""

from typing import get_args

from bot.core.model.events import BranchDeleted, BranchPushed, Event, PullRequestChanged
from bot.core.model.ids import AppName, CommitSha, DeliveryKey, Repository
from bot.core.model.lines import BranchLine, Line, PullLine
from bot.core.model.snapshot import AppFacts, Snapshot
from bot.ports.services import Services

# A repository is one app, at its root. Several apps per repository come with its config file.
THE_ONLY_APP = AppName("")

_PULL_REQUEST_CHANGED = get_args(PullRequestChanged)


def gather(event: Event, delivery: DeliveryKey, services: Services) -> Snapshot:
    """Return the facts about the event's branch or pull request as they are now.

    Raises:
        SourceUnavailable: a branch's head could not be asked for.
        ForgeUnavailable: a pull request could not.

    """
    planned = bool(services.store.planned_by(delivery))
    match event:
        case BranchPushed() | BranchDeleted():
            line = BranchLine(event.branch)
            return Snapshot(
                head_now=services.source.head(event.repository, event.branch),
                planned=planned,
                apps=_apps(event.repository, line, services),
            )
        case _ if isinstance(event, _PULL_REQUEST_CHANGED):
            return _of_pull(event, services, planned=planned)
        case _:
            return Snapshot(head_now=None, planned=planned, apps=())


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
    return Snapshot(
        head_now=head,
        planned=planned,
        apps=_apps(repository, line, services),
        pull=pull,
        approved=approval is not None,
    )


def _apps(repository: Repository, line: Line, services: Services) -> tuple[AppFacts, ...]:
    newest = services.store.newest(repository.id, line, THE_ONLY_APP)
    return (AppFacts(app=THE_ONLY_APP, newest=newest),)
