"""From GitHub's payload to what happened, or to the reason why nothing follows.

`X-GitHub-Event` is outside the signature, so a body that was signed as one kind could be replayed
as another: the payload's shape must agree with the name. Addresses in it (`clone_url`) are never
read.
"""

from collections.abc import Callable

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.errors import PayloadNotUnderstood
from bot.core.model.events import Event
from bot.webhooks import checks, installations, pulls, refs
from bot.webhooks.reading import not_handled, read
from bot.wire.github import PingPayload


def parse(event_name: str, payload: object) -> Event | Ignored:
    """Return what a delivery means. Never raises, whatever JSON value `payload` is."""
    handler = _HANDLERS.get(event_name)
    if handler is None:
        return not_handled(f"a {event_name} event")
    try:
        return handler(payload)
    except PayloadNotUnderstood as error:
        return Ignored(reason=Reason.PAYLOAD_NOT_UNDERSTOOD, detail=str(error))


def _ping(payload: object) -> Ignored:
    hook = read(PingPayload, payload).hook_id
    return Ignored(reason=Reason.PING, detail=f"webhook {hook} is connected")


_HANDLERS: dict[str, Callable[[object], Event | Ignored]] = {
    "ping": _ping,
    "push": refs.push,
    "create": refs.create,
    "delete": refs.delete,
    "pull_request": pulls.pull_request,
    "issue_comment": pulls.issue_comment,
    "check_run": checks.check_run,
    "check_suite": checks.check_suite,
    "repository": installations.repository,
    "installation": installations.installation,
    "installation_repositories": installations.installation_repositories,
}

# The names of events from which something may follow.
HANDLED = frozenset(_HANDLERS)
