"""Runs PyPI `deno-sandbox` 0.16.0 in a process of its own; speaks JSON lines.

A line `{"call": "apps.list", "args": [...], "kwargs": {...}, "pages": 2}` is answered by
`{"ok": value}` or `{"error": {"type", "status", "code", "message"}}`; `{"offers": true}` by the
names of all calls that are within our contract. A page is `{"items", "next_cursor"}`; with `pages`
the value is a list of that many. With `take` the asynchronous client reads that many items of a
live stream and hangs up, which the synchronous one cannot. The address and the token come in the
variables that the SDK itself reads: it has no argument for the address.
"""

import asyncio
import importlib
import inspect
import json
import sys
from typing import Any

sdk: Any = importlib.import_module("deno_sandbox")

# Sandboxes, snapshots and volumes are another product than Subhosting.
RESOURCES = ("apps", "revisions", "layers", "timelines")


def main() -> None:
    client = sdk.DenoDeploy()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"ok": offers(client)} if "offers" in asked else answered(client, asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def answered(client: Any, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - untyped SDK
    try:
        if asked.get("take"):
            return {"ok": asyncio.run(taken(asked))}
        result = method_of(client, asked["call"])(*asked["args"], **asked["kwargs"])
        return {"ok": plain(result, asked.get("pages", 1))}
    except Exception as error:  # noqa: BLE001 - the caller judges what went wrong
        return {
            "error": {
                "type": type(error).__name__,
                "status": getattr(error, "status_code", None),
                "code": getattr(error, "code", None),
                "message": getattr(error, "message", str(error)),
            }
        }


async def taken(asked: dict[str, Any]) -> list[Any]:
    client = sdk.AsyncDenoDeploy()
    stream = method_of(client, asked["call"])(*asked["args"], **asked["kwargs"])
    found = []
    try:
        async for item in stream:
            found.append(item)
            if len(found) == asked["take"]:
                break
    finally:
        await stream.aclose()
        await client.apps._client.close()  # the SDK offers no other way
    return found


def method_of(client: Any, call: str) -> Any:  # noqa: ANN401 - untyped SDK
    resource, name = call.split(".")
    return getattr(getattr(client, resource), name)


def plain(value: Any, pages: int) -> Any:  # noqa: ANN401 - JSON is anything
    if not hasattr(value, "get_next_page"):
        return list(value) if inspect.isgenerator(value) or hasattr(value, "__next__") else value
    found = [{"items": value.items, "next_cursor": value.next_cursor}]
    while len(found) < pages and value.has_more:
        value = value.get_next_page()
        found.append({"items": value.items, "next_cursor": value.next_cursor})
    return found[0] if pages == 1 else found


def offers(client: Any) -> list[str]:  # noqa: ANN401 - untyped SDK
    return [
        f"{resource}.{name}"
        for resource in RESOURCES
        for name in dir(getattr(client, resource))
        if not name.startswith("_")
    ]


if __name__ == "__main__":
    main()
