"""Running `previewbot deploy` as a workflow or a person would."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.kernel.processes import built_environment
from tests.fakes.deno.platform import TOKEN as DENO_TOKEN
from tests.fakes.deno.platform import FakeDeno
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN
from tests.fakes.subhosting.server import FakeServer

Variables = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """Return the JSON object of the last line."""
        document: dict[str, Any] = json.loads(self.stdout.splitlines()[-1])
        return document


def run_deploy(
    *words: str, settings: Variables, python: Sequence[str] = (sys.executable, "-m", "bot")
) -> Ran:
    """Run the command with these variables and no others."""
    done = subprocess.run(
        [*python, "deploy", *words],
        capture_output=True,
        text=True,
        check=False,
        env=built_environment(**settings),
    )
    return Ran(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def embedded(address: Variables) -> dict[str, str]:
    """Return the settings for the platform of a running installation."""
    return {
        "PREVIEWBOT_TARGET": "embedded",
        "PREVIEWBOT_TARGET_URL": address["api_url"],
        "PREVIEWBOT_TARGET_TOKEN": address["token"],
        "PREVIEWBOT_TARGET_ORGANIZATION": address["organization"],
        "PREVIEWBOT_PREVIEWS_URL": address["previews_url"],
    }


def foreign(server: FakeServer) -> dict[str, str]:
    """Return the settings for somebody's v1 server."""
    return {
        "PREVIEWBOT_TARGET": "subhosting-v1",
        "PREVIEWBOT_TARGET_URL": server.api_url,
        "PREVIEWBOT_TARGET_TOKEN": TOKEN,
        "PREVIEWBOT_TARGET_ORGANIZATION": ORGANIZATION,
        "PREVIEWBOT_PREVIEWS_URL": server.previews_url,
    }


def denos(deno: FakeDeno) -> dict[str, str]:
    """Return the settings for Deno's own platform."""
    return {
        "PREVIEWBOT_TARGET": "deploy-v2",
        "PREVIEWBOT_TARGET_URL": deno.api_url,
        "PREVIEWBOT_TARGET_TOKEN": DENO_TOKEN,
        "PREVIEWBOT_PREVIEWS_URL": deno.previews_url,
    }


def app_in(folder: Path, files: Mapping[str, str]) -> Path:
    """Write an app below `folder`."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder
