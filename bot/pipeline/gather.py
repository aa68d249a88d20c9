"""Ports -> Snapshot: every fact that the decision about an event may read."""

from bot.core.model.events import BranchDeleted, BranchPushed, Event
from bot.core.model.ids import AppName, DeliveryKey
from bot.core.model.lines import BranchLine
from bot.core.model.snapshot import AppFacts, Snapshot
from bot.ports.services import Services

# A repository is one app, at its root. Several apps per repository come with its config file.
THE_ONLY_APP = AppName("")


def gather(event: Event, delivery: DeliveryKey, services: Services) -> Snapshot:
    """Return the facts about the event's branch as they are now.

    Raises:
        SourceUnavailable: the branch's head could not be asked for.

    """
    planned = bool(services.store.planned_by(delivery))
    if not isinstance(event, BranchPushed | BranchDeleted):
        return Snapshot(head_now=None, planned=planned, apps=())
    repository, line = event.repository, BranchLine(event.branch)
    return Snapshot(
        head_now=services.source.head(repository, event.branch),
        planned=planned,
        apps=(
            AppFacts(
                app=THE_ONLY_APP,
                newest=services.store.newest(repository.id, line, THE_ONLY_APP),
            ),
        ),
    )
