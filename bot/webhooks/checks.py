"""`check_run` and `check_suite`: what people ask for on our checks."""

from bot.core.model.decisions import Ignored
from bot.core.model.errors import PayloadNotUnderstood
from bot.core.model.events import (
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    Event,
)
from bot.core.model.ids import Login
from bot.webhooks.reading import commit_of, not_handled, read, repository_of
from bot.wire.github_events import CheckRunPayload, CheckSuitePayload

REREQUESTED = "rerequested"
REQUESTED_ACTION = "requested_action"


def check_run(payload: object) -> Event | Ignored:
    """Return which button was pressed on a check; what we wrote ourselves comes back as well."""
    found = read(CheckRunPayload, payload)
    if found.action not in {REREQUESTED, REQUESTED_ACTION}:
        return not_handled(f"check_run.{found.action}")
    repository = repository_of(found.repository, found.installation)
    head = commit_of(found.check_run.head_sha, "check_run.head_sha")
    external_id, sender = found.check_run.external_id or "", Login(found.sender.login)
    if found.action == REREQUESTED:
        return CheckRerequested(
            repository=repository, head=head, external_id=external_id, sender=sender
        )
    if found.requested_action is None:
        msg = "requested_action: Field required"
        raise PayloadNotUnderstood(msg)
    return CheckActionRequested(
        repository=repository,
        head=head,
        external_id=external_id,
        action=found.requested_action.identifier,
        sender=sender,
    )


def check_suite(payload: object) -> Event | Ignored:
    """Return that all checks of a commit were asked for again."""
    found = read(CheckSuitePayload, payload)
    if found.action != REREQUESTED:
        return not_handled(f"check_suite.{found.action}")
    return CheckSuiteRerequested(
        repository=repository_of(found.repository, found.installation),
        head=commit_of(found.check_suite.head_sha, "check_suite.head_sha"),
        sender=Login(found.sender.login),
    )
