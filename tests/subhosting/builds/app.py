"""Deploying whole trees of files by API v2, and what their builds said."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.subhosting.server import Answer, Json, RunningSubhosting
from tests.subhosting.v2.client import DYNAMIC, ended

SERVES_A_FILE = """
const text = await Deno.readTextFile(new URL("./dist/made.txt", import.meta.url));
Deno.serve(() => new Response(text));
"""


def deploy(
    server: RunningSubhosting, app: str, files: Mapping[str, str], **fields: object
) -> Answer:
    assets = {path: {"kind": "file", "content": content} for path, content in files.items()}
    return server.call("POST", f"/v2/apps/{app}/deploy", {"assets": assets, **fields})


def deployed(
    server: RunningSubhosting, app: str, files: Mapping[str, str], **fields: object
) -> Json:
    """Deploy and wait for the end of the build."""
    made = deploy(server, app, files, **fields)
    assert made.status == 202, made
    return ended(server, made.json["id"])


def with_commands(**commands: object) -> Json:
    return {**DYNAMIC, **commands}


def log(server: RunningSubhosting, revision: str, step: str | None = None) -> list[Json]:
    query = f"?step={step}" if step else ""
    body = server.call("GET", f"/v2/revisions/{revision}/build_logs{query}").body
    return [json.loads(line) for line in body.splitlines()]


def said(server: RunningSubhosting, revision: str, step: str | None = None) -> list[str]:
    return [line["message"] for line in log(server, revision, step)]


def sleepers(scratch: str) -> list[int]:
    """Return the pids of the `sleep`s of a build, told by a folder in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if command.startswith(b"sleep\0") and scratch.encode() in environment:
                found.append(int(entry.name))
    return found
