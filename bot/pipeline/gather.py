"""Ports -> Snapshot: every fact that the decision about an event may read."""

from typing import get_args

from bot.core.model.events import BranchDeleted, BranchPushed, Event, PullRequestChanged
from bot.core.model.ids import CommitSha, DeliveryKey
from bot.core.model.lines import BranchLine, PullLine
from bot.core.model.snapshot import Snapshot
from bot.pipeline.configuration import Configured, configured, configured_unseen
from bot.ports.services import Services

_PULL_REQUEST_CHANGED = get_args(PullRequestChanged)


def gather(event: Event, delivery: DeliveryKey, services: Services) -> Snapshot:
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
    )
