"""Webhooks on their way, and the endpoints that tell what became of them."""

import json
import threading
from dataclasses import replace

import httpx

from tests.fakes.github import limits, payloads
from tests.fakes.github.access import require_app
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.documents import stamp
from tests.fakes.github.entities import Hook, JsonObject, Parcel, SentDelivery
from tests.fakes.github.refusals import Invalid, not_found
from tests.fakes.github.store import Store

# What github.com waits for an answer.
PATIENCE_S = 10

# The hook of the App has no id of its own in the API; deliveries carry this one.
APP_HOOK = 109_948_940


def send(store: Store, parcel: Parcel, *, again: bool = False) -> httpx.Response | None:
    """Post a delivery and write down what became of it; None when nobody answered."""
    headers = payloads.headers(parcel.event, parcel.guid, parcel.hook, parcel.body, parcel.secret)
    response: httpx.Response | None = None
    outcome = "failed to connect to host"
    try:
        response = httpx.post(
            parcel.url, content=parcel.body, headers=headers, timeout=PATIENCE_S, trust_env=False
        )
        outcome = "OK" if response.is_success else f"Invalid HTTP Response: {response.status_code}"
    except httpx.TimeoutException:
        outcome = "timed out"
    except httpx.TransportError:
        pass
    with store.changing():
        store.deliveries.append(
            SentDelivery(
                id=store.number(),
                parcel=parcel,
                status=0 if response is None else response.status_code,
                outcome=outcome,
                sent_at=store.clock.now(),
                redelivery=again,
            )
        )
    return response


def list_of_app(call: Call) -> Answer:
    """GET what was sent to the App's hook."""
    require_app(call.caller)
    return _page(call, APP_HOOK)


def repeat_of_app(call: Call) -> Answer:
    """POST another attempt of a delivery to the App's hook."""
    require_app(call.caller)
    return _repeat(call, APP_HOOK)


def list_hooks(call: Call) -> Answer:
    """GET the hooks of a repository."""
    found = [hook for hook in call.store.hooks if hook.repository == call.repository.full_name]
    return Answer(document=[_document(call, hook) for hook in found])


def create_hook(call: Call) -> Answer:
    """POST a hook; of one address a repository has one."""
    config = call.body["config"]
    limits.web_address(config.get("url"), "url")
    same = [h for h in call.store.hooks if h.repository == call.repository.full_name]
    if config["url"] in {hook.url for hook in same}:
        raise Invalid("Hook already exists on this repository")
    hook = Hook(
        id=call.store.number(),
        repository=call.repository.full_name,
        url=config["url"],
        secret=config.get("secret", ""),
        events=tuple(call.body.get("events", ["push"])),
    )
    with call.store.changing():
        call.store.hooks.append(hook)
    return Answer(status=201, document=_document(call, hook))


def change_hook(call: Call) -> Answer:
    """PATCH a hook."""
    hook = _hook(call)
    config = call.body.get("config", {})
    changed = replace(
        hook,
        url=config.get("url", hook.url),
        secret=config.get("secret", hook.secret),
        active=call.body.get("active", hook.active),
        events=tuple(call.body.get("events", hook.events)),
    )
    with call.store.changing():
        call.store.hooks[call.store.hooks.index(hook)] = changed
    return Answer(document=_document(call, changed))


def list_of_hook(call: Call) -> Answer:
    """GET what was sent to a hook of the repository."""
    return _page(call, _hook(call).id)


def repeat_of_hook(call: Call) -> Answer:
    """POST another attempt of a delivery to a hook of the repository."""
    return _repeat(call, _hook(call).id)


def _hook(call: Call) -> Hook:
    number = int(call.parameters["hook_id"])
    for hook in call.store.hooks:
        if (hook.id, hook.repository) == (number, call.repository.full_name):
            return hook
    raise not_found()


def _page(call: Call, hook: int) -> Answer:
    """Answer a page, newest first; the cursor is the id of the page's first delivery."""
    found = [sent for sent in reversed(call.store.deliveries) if sent.parcel.hook == hook]
    first = int(call.query.get("cursor", 2**62))
    left = [sent for sent in found if sent.id <= first]
    size = int(call.query.get("per_page", 30))
    headers = {}
    if len(left) > size:
        following = f"{call.address}?per_page={size}&cursor={left[size].id}"
        headers = {"Link": f'<{following}>; rel="next"'}
    return Answer(document=[_item(sent) for sent in left[:size]], headers=headers)


def _repeat(call: Call, hook: int) -> Answer:
    number = int(call.parameters["delivery_id"])
    for sent in call.store.deliveries:
        if (sent.id, sent.parcel.hook) == (number, hook):
            parcel = replace(sent.parcel, url=call.store.app_hook_url or sent.parcel.url)
            # Accepted first, done later, as there.
            work = threading.Thread(
                target=send, args=(call.store, parcel), kwargs={"again": True}, daemon=True
            )
            work.start()
            return Answer(status=202, document={})
    raise not_found()


def _item(sent: SentDelivery) -> JsonObject:
    payload = json.loads(sent.parcel.body)
    return {
        "id": sent.id,
        "guid": sent.guid,
        "delivered_at": stamp(sent.sent_at),
        "redelivery": sent.redelivery,
        "duration": 0.1,
        "status": sent.outcome,
        "status_code": sent.status,
        "event": sent.event,
        "action": payload.get("action"),
        "installation_id": None,
        "repository_id": None,
        "throttled_at": None,
    }


def _document(call: Call, hook: Hook) -> JsonObject:
    base = f"{call.documents.api_url}/repos/{hook.repository}/hooks/{hook.id}"
    return {
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": list(hook.events),
        "config": {"url": hook.url, "content_type": "json", "insecure_ssl": "0"},
        "updated_at": "2026-01-02T03:04:05Z",
        "created_at": "2026-01-02T03:04:05Z",
        "url": base,
        "test_url": f"{base}/test",
        "ping_url": f"{base}/pings",
        "deliveries_url": f"{base}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }


_HOOKS = "/repos/{owner}/{repo}/hooks"
_ATTEMPTS = "deliveries/{delivery_id}/attempts"
_ADMIN = ("repository_hooks", "admin")

ROUTES = [
    Route(method="GET", pattern="/app/hook/deliveries", permission=None, handler=list_of_app),
    Route(method="POST", pattern=f"/app/hook/{_ATTEMPTS}", permission=None, handler=repeat_of_app),
    Route(method="GET", pattern=_HOOKS, permission=_ADMIN, handler=list_hooks),
    Route(method="POST", pattern=_HOOKS, permission=_ADMIN, handler=create_hook),
    Route(method="PATCH", pattern=f"{_HOOKS}/{{hook_id}}", permission=_ADMIN, handler=change_hook),
    Route(
        method="GET",
        pattern=f"{_HOOKS}/{{hook_id}}/deliveries",
        permission=_ADMIN,
        handler=list_of_hook,
    ),
    Route(
        method="POST",
        pattern=f"{_HOOKS}/{{hook_id}}/{_ATTEMPTS}",
        permission=_ADMIN,
        handler=repeat_of_hook,
    ),
]
