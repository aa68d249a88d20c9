"""The endpoint that starts workflows."""

import json

from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.entities import Dispatch
from tests.fakes.github.refusals import Invalid

# "The total size of the JSON payload must be less than 64KB."
MAX_PAYLOAD_BYTES = 64 * 1024


def create(call: Call) -> Answer:
    """POST a `repository_dispatch` event."""
    payload = call.body.get("client_payload", {})
    if len(json.dumps(payload).encode()) >= MAX_PAYLOAD_BYTES:
        raise Invalid("client_payload is too large.")
    with call.store.changing():
        call.store.dispatches.append(
            Dispatch(
                repository=call.repository.full_name,
                event_type=call.body["event_type"],
                payload=payload,
            )
        )
    return Answer(status=204)


ROUTES = [
    Route(
        method="POST",
        pattern="/repos/{owner}/{repo}/dispatches",
        permission=("contents", "write"),
        handler=create,
    ),
]
