"""The four documents that users were given, and the code in them."""

import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.conformance.contract import DATA

FIRST = DATA / "001_projects_and_deployments.md"
SECOND = DATA / "002_planning_your_implementation.md"
THIRD = DATA / "003_subhosting_api_v1_openapi.md"
FOURTH = DATA / "004_migrating_v1_to_v2.md"

# How a heading looks in the fourth, which was saved as a page's text.
HEADING = " Jump to heading"


@dataclass(frozen=True)
class Command:
    """A command of the fourth document, word for word."""

    section: str
    text: str


def script(document: str) -> str:
    """Return the `create_deployment.ts` of the first or second document."""
    file = {"001": FIRST, "002": SECOND}[document]
    found = re.search(r'```ts title="create_deployment.ts"\n(.*?)```', file.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@cache
def third() -> dict[str, Any]:
    """Return the third document's OpenAPI text."""
    text = THIRD.read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text[text.index("openapi: 3.1.0") :])
    return parsed


@cache
def commands() -> tuple[Command, ...]:
    """Return every curl command of the fourth document."""
    found, section, lines = [], "", list[str]()
    for line in FOURTH.read_text(encoding="utf-8").splitlines():
        if line.endswith(HEADING):
            section = line.removesuffix(HEADING)
        if lines or line.startswith("curl "):
            lines.append(line)
            if is_whole("\n".join(lines)):
                found.append(Command(section, "\n".join(lines)))
                lines = []
    assert not lines
    return tuple(found)


def is_whole(text: str) -> bool:
    """Return whether a shell would run `text` without asking for another line."""
    if text.endswith("\\"):
        return False
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


@cache
def bodies() -> dict[str, Any]:
    """Return the fourth document's two deployment requests, by their headings."""
    text = FOURTH.read_text(encoding="utf-8")
    found = {}
    for version in ("v1", "v2"):
        start = text.index(f"{version} request{HEADING}")
        found[version], _ = json.JSONDecoder().raw_decode(text, text.index("{", start))
    return found
