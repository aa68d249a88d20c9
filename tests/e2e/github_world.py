"""The whole bot against the fake GitHub: webhooks, API and git over HTTP, on loopback."""

import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.apps import greets
from tests.e2e.installation import Answer, Installation
from tests.e2e.patience import until
from tests.fakes.github.entities import CheckRun
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import PERMISSIONS, FakeGitHub

WEBHOOK_SECRET = "it's a secret to everybody"

# Before every git of the bot: write down what it was given, and wait at the gate if there is one.
_GIT = """\
#!/bin/sh
{{ printf '%s\\n' "$*"; env; }} >> '{seen}'
case " $* " in
*" fetch "*) if [ -p '{gate}' ]; then cat '{gate}' > /dev/null; fi ;;
esac
exec '{git}' "$@"
"""


@dataclass(frozen=True, kw_only=True)
class WatchedGit:
    """A `git` in front of git that tells what it was given and can be held at its fetches."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        git = shutil.which("git")
        assert git is not None
        script = self.folder / "git"
        script.write_text(_GIT.format(seen=self._seen, gate=self._gate, git=git))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    @property
    def path(self) -> str:
        """Return the search path that begins here."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def seen(self) -> str:
        """Return arguments and environment of every git so far."""
        return self._seen.read_text()

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Let the next fetch wait for `held_at_fetch`."""
        os.mkfifo(self._gate)
        try:
            yield
        finally:
            self._gate.unlink(missing_ok=True)

    @contextmanager
    def held_at_fetch(self) -> Iterator[None]:
        """Wait until a fetch has come to the gate, and let it go on after the block."""
        with self._gate.open("wb"):  # which returns when the other end is opened
            self._gate.unlink()
            yield

    @property
    def _seen(self) -> Path:
        return self.folder / "seen.txt"

    @property
    def _gate(self) -> Path:
        return self.folder / "gate"


@dataclass
class GitHubWorld:
    """A fake GitHub and an installation that works for it."""

    gh: FakeGitHub
    installation: Installation
    git: WatchedGit

    @property
    def secret(self) -> str:
        return self.installation.address["webhook_secret"]

    def deliver(
        self, payload: Mapping[str, Any], *, event: str = "push", guid: str | None = None
    ) -> httpx.Response:
        """Sign and post a payload, as GitHub would."""
        url = self.installation.address["webhook_url"]
        return self.gh.deliver(url, event, payload, self.secret, guid=guid)

    def push(
        self,
        repository: FakeRepository,
        files: Mapping[str, Any] | None = None,
        *,
        branch: str = "main",
    ) -> str:
        """Commit `files` (None: a small app) on top of the branch and deliver the push."""
        before = repository.head(branch)
        after = repository.commit(greets("hello") if files is None else files, branch=branch)
        answer = self.deliver(self.gh.push_payload(repository, branch, before, after))
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return after

    def push_as_app(self, repository: FakeRepository) -> str:
        """Commit a small app and deliver the push as the hook of the made App does."""
        before = repository.head("main")
        after = repository.commit(greets("hello"))
        payload = self.gh.push_payload(repository, "main", before, after)
        [secret] = self.gh.store.hook_secrets.values()
        url = self.installation.address["webhook_url"]
        answer = self.gh.deliver(url, "push", payload, secret)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return after

    def checked(self, repository: FakeRepository, sha: str) -> CheckRun:
        """Return the commit's check run once it is completed."""
        return self.gh.wait_for_check(repository, sha, timeout=40)

    def url_in(self, run: CheckRun) -> str:
        """Return the stable URL that the check run's summary gives."""
        found = re.search(r"Preview of the branch: <(http[^>]+)>", run.summary or "")
        assert found, run.summary
        return found[1]

    def get(self, url: str, path: str = "/") -> Answer:
        return self.installation.get(url, path)

    def until_serves(self, url: str, sha: str) -> Answer:
        """Return the page as soon as `url` serves the commit."""

        def look() -> Answer | None:
            answer = self.get(url)
            return answer if answer.headers.get("x-preview-sha") == sha else None

        return until(look, f"{sha[:7]} at {url}")

    def until_gone(self, url: str) -> None:
        """Return as soon as `url` serves nothing."""
        until(lambda: self.get(url).status == httpx.codes.NOT_FOUND, f"the end of {url}")


@contextmanager
def as_app(
    folder: Path, *, surfaces: str = "check,deployment", **more_settings: str
) -> Iterator[GitHubWorld]:
    """Run an installation that is a GitHub App, with the rights that its surfaces need."""
    more = {"contents": "write"} if "dispatch" in surfaces else {}
    with FakeGitHub(folder / "github") as gh:
        app = gh.add_app(permissions=PERMISSIONS | more)
        key_file = folder / "app.pem"
        key_file.write_text(app.private_key)
        settings = {
            "PREVIEWBOT_GITHUB_APP_ID": str(app.app_id),
            "PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE": str(key_file),
            "PREVIEWBOT_SURFACES": surfaces,
            **more_settings,
        }
        with _running(gh, folder, settings) as world:
            yield world


@contextmanager
def unconfigured(folder: Path) -> Iterator[GitHubWorld]:
    """Run an installation that knows where GitHub is and has neither App nor token."""
    with FakeGitHub(folder / "github") as gh:
        where = {"PREVIEWBOT_GITHUB_WEBHOOK_SECRET": ""}
        with _running(gh, folder, where) as world:
            yield world


@contextmanager
def with_personal_token(folder: Path, repository: str) -> Iterator[GitHubWorld]:
    """Run an installation with the token of a person who may write to `repository`."""
    with FakeGitHub(folder / "github") as gh:
        gh.add_repository(repository, private=True)
        token = gh.add_personal_token("ada", {repository: "write"})
        with _running(gh, folder, {"PREVIEWBOT_GITHUB_TOKEN": token}) as world:
            yield world


@contextmanager
def _running(gh: FakeGitHub, folder: Path, settings: Mapping[str, str]) -> Iterator[GitHubWorld]:
    git = WatchedGit(folder=folder / "bin")
    environment = {
        "PATH": git.path,
        "PREVIEWBOT_GITHUB_API_URL": gh.api_url,
        "PREVIEWBOT_GIT_URL": gh.git_url,
        "PREVIEWBOT_GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
        **settings,
    }
    with Installation(folder / "data", environment) as installation:
        yield GitHubWorld(gh, installation, git)
