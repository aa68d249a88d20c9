"""A webhook as sent: headers and bytes, with the shapes of its headers checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from bot.core.model.ids import DeliveryGuid, DeliveryKey, HookId

# GUIDs are UUIDs and event names are words; anything else is not GitHub's and would only make
# trouble as a key, in a log or on a page.
_GUID = re.compile(r"[A-Za-z0-9-]{1,64}")
_EVENT_NAME = re.compile(r"[a-z_]{1,64}")
_HOOK = re.compile(r"[A-Za-z0-9-]{1,64}")

# Hand-made deliveries (curl, a post-receive hook of one's own) tell no hook.
UNKNOWN_HOOK = HookId("unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery that can be stored: its key, its kind by its own account, its JSON."""

    key: DeliveryKey
    event_name: str  # outside the signature: a claim until `parse` has seen the payload
    body: bytes
    payload: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A request that is no delivery at all, and what is wrong with it."""

    problem: str


def read(headers: Mapping[str, str], body: bytes) -> Delivery | Malformed:
    """Return the delivery that `headers` (names in any letter case) and `body` make."""
    found = {name.lower(): value for name, value in headers.items()}
    guid = found.get("x-github-delivery", "")
    event_name = found.get("x-github-event", "")
    hook = found.get("x-github-hook-id", UNKNOWN_HOOK)
    for name, value, shape in (
        ("X-GitHub-Delivery", guid, _GUID),
        ("X-GitHub-Event", event_name, _EVENT_NAME),
        ("X-GitHub-Hook-ID", hook, _HOOK),
    ):
        if not shape.fullmatch(value):
            return Malformed(problem=f"the header {name} is missing or not as GitHub sends it")
    try:
        payload: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Malformed(problem=_why_not_json(body))
    return Delivery(
        key=DeliveryKey(hook=HookId(hook), guid=DeliveryGuid(guid)),
        event_name=event_name,
        body=body,
        payload=payload,
    )


def _why_not_json(body: bytes) -> str:
    if body.startswith(b"payload="):  # what a webhook made by hand sends unless told otherwise
        return 'the body is a form; set the webhook\'s content type to "application/json"'
    return "the body is not JSON"
