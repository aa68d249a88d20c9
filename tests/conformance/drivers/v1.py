"""Runs PyPI `subhosting` 0.1.0a2 in an environment of its own; speaks JSON lines.

A line `{"call": "projects.get", "args": [...], "kwargs": {...}}` is answered by `{"ok": value}` or
`{"error": {"type", "status", "body"}}`; `{"offers": true}` by the names of all calls. Imports
nothing of ours: its environment knows only the SDK. Arguments: the base URL and the token.
"""

import importlib
import json
import sys
from typing import Any

# The SDK is in another environment than the type checker's.
sdk: Any = importlib.import_module("subhosting")


def main() -> None:
    base_url, token = sys.argv[1:]
    # Strict: the SDK itself refuses an answer that does not fit its types. No retries: it would
    # hide a 429 or a 500 from us.
    client = sdk.Subhosting(
        base_url=base_url, bearer_token=token, max_retries=0, _strict_response_validation=True
    )
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"ok": offers(client)} if "offers" in asked else answered(client, asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def answered(client: Any, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - untyped SDK
    method = client
    for name in asked["call"].split("."):
        method = getattr(method, name)
    try:
        return {"ok": plain(method(*asked["args"], **asked["kwargs"]))}
    except Exception as error:  # noqa: BLE001 - the caller judges what went wrong
        status = getattr(error, "status_code", None)
        body = getattr(error, "body", None)
        return {
            "error": {"type": type(error).__name__, "status": status, "body": body or str(error)}
        }


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON is anything
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return value


def offers(resource: Any, prefix: str = "") -> list[str]:  # noqa: ANN401 - untyped SDK
    found: list[str] = []
    for name in dir(resource):
        if name.startswith(("_", "with_")):
            continue
        member = getattr(resource, name)
        if type(member).__module__.startswith("subhosting.resources"):
            found += offers(member, f"{prefix}{name}.")
        elif prefix and callable(member):
            found.append(f"{prefix}{name}")
    return found


if __name__ == "__main__":
    main()
