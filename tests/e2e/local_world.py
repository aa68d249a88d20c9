"""The whole bot without GitHub: a local bare repository whose hook tells of pushes."""

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.adapters.local import push_hook
from bot.adapters.local.push_hook import Pushed, RefUpdate
from bot.adapters.local.repositories import LocalRepository, Repositories
from bot.bootstrap.reader import Reader
from bot.core.model.checks import Check
from bot.core.model.ids import AppName, Branch, DeploymentId
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment
from bot.kernel.processes import built_environment
from tests.e2e.apps import greets
from tests.e2e.installation import Answer, Installation
from tests.fakes.github.repository import NO_COMMIT, FakeRepository

Files = Mapping[str, Any]  # as FakeRepository.commit takes them


@dataclass
class LocalWorld:
    """A repository of ours, somebody's clone of it, and the installation that watches."""

    installation: Installation
    local: LocalRepository
    clone: FakeRepository

    def commit(self, branch: str, files: Files | None = None) -> str:
        """Commit in the clone; None stands for a small app."""
        return self.clone.commit(greets("hello") if files is None else files, branch=branch)

    def push(self, *branches: str) -> None:
        """Push branches in one go; the hook delivers each."""
        refs = [f"+refs/heads/{branch}:refs/heads/{branch}" for branch in branches]
        self.clone.git("push", "--quiet", str(self.local.path), *refs)

    def push_quietly(self, branch: str) -> None:
        """Push without the hook, so that only a delivery of the test tells of it."""
        # A fetch by the bare repository runs no post-receive hook.
        ref = f"refs/heads/{branch}"
        work = ("--git-dir", str(self.local.path))
        self.clone.git(*work, "fetch", "--quiet", str(self.clone.path), f"{ref}:{ref}")

    def pushed(self, branch: str, files: Files | None = None) -> Deployment:
        """Commit, push and return the attempt when it is over."""
        sha = self.commit(branch, files)
        self.push(branch)
        return self.ended(branch, sha)

    def ended(self, branch: str, sha: str) -> Deployment:
        """Return the newest attempt of `branch` when it is of `sha` and over."""

        def look(reader: Reader) -> Deployment | None:
            newest = reader.store.newest(
                self.local.repository.id, BranchLine(Branch(branch)), AppName("")
            )
            return newest if newest and newest.head == sha and newest.is_over else None

        return self.installation.look_until(look, f"the end of {sha[:7]} on {branch!r}")

    def attempts(self, branch: str) -> list[Deployment]:
        """Return every attempt of `branch` so far."""
        with self.installation.reader() as reader:
            return [d for d in reader.store.recent(500) if d.preview.name == branch]

    def check(self, key: DeploymentId) -> Check:
        """Return the check of an attempt."""
        with self.installation.reader() as reader:
            check = reader.checks.of(key)
        assert check is not None
        return check

    def get(self, url: str | None, path: str = "/") -> Answer:
        assert url is not None
        return self.installation.get(url, path)

    def payload(self, branch: str, before: str, after: str) -> dict[str, Any]:
        """Return the push event as our hook would send it."""
        place = push_hook.described(self.local.path, self.local.repository.name)
        update = RefUpdate(before=before, after=after, ref=f"refs/heads/{branch}")
        return push_hook.payload(Pushed(update=update, forced=False, head=None), place)

    def deliver(self, body: Mapping[str, Any] | bytes, **headers: str) -> httpx.Response:
        """Post a signed delivery; `headers` (a_b for A-B) replace ours, "" takes one out."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        secret = self.installation.address["webhook_secret"]
        digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        every = {
            "content-type": "application/json",
            "x-github-event": "push",
            "x-github-delivery": "11111111-2222-4333-8444-555555555555",
            "x-github-hook-id": "7",
            "x-hub-signature-256": f"sha256={digest}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return httpx.post(
            self.installation.address["webhook_url"],
            content=raw,
            headers={name: value for name, value in every.items() if value},
            timeout=20,
            trust_env=False,
        )

    def decided(self, guid: str) -> str:
        """Return the reason that a delivery got, as soon as it has one."""

        def look(reader: Reader) -> str | None:
            return next((record.reason for record in reader.deliveries(guid)), None)

        return self.installation.look_until(look, f"a decision about {guid}")

    def command(self, *words: str) -> str:
        """Run `previewbot` on this data directory and return what it printed, on both streams."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words, "--data", str(self.installation.data_dir)],
            capture_output=True,
            check=False,
            env=built_environment(COLUMNS="200"),
        )
        assert done.returncode == 0, done.stderr.decode()
        return (done.stdout + done.stderr).decode()


@contextmanager
def local_world(folder: Path, **settings: str) -> Iterator[LocalWorld]:
    """Run an installation with one local repository."""
    clone = FakeRepository(
        id=0, full_name="octo/app", private=False, default_branch="main", path=folder / "clone"
    )
    clone.path.mkdir(parents=True)
    clone.git("init", "--quiet", "--bare", "--initial-branch=main")
    with Installation(folder / "data", settings) as installation:
        local = Repositories(installation.data_dir).create("octo/app")
        yield LocalWorld(installation, local, clone)


def new_branch(after: str) -> tuple[str, str]:
    """Return before and after of a push that makes a branch."""
    return NO_COMMIT, after
