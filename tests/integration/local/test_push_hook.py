"""From a real push to a signed delivery."""

import hashlib
import hmac
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.local.push_hook import Answer, RefUpdate, deliver, message, updates
from bot.adapters.local.repositories import LocalRepository
from bot.core.model.events import BranchDeleted, BranchPushed
from bot.webhooks.parse import parse
from tests.integration.git.origin import git
from tests.integration.local.conftest import Receiver

ROOT = Path(__file__).parents[3]
SECRET = "s3cret"

_HOOK = """\
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from bot.adapters.local.push_hook import after_push
for line in after_push(sys.stdin, Path.cwd(), "acme/site", {url!r}, {secret!r}):
    print(line)
"""


class WorkingCopy:
    """Somebody's clone of a local repository whose hook posts to `receiver`."""

    def __init__(self, directory: Path, local: LocalRepository, receiver: Receiver) -> None:
        self.directory = directory
        code = _HOOK.format(root=str(ROOT), url=receiver.url, secret=SECRET)
        hook = local.path / "hooks" / "post-receive"
        hook.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-c', code])}\n")
        git("clone", "-q", str(local.path), str(directory), cwd=directory.parent)

    def commit(self, message: str = "Change") -> str:
        git("commit", "-q", "--allow-empty", "-m", message, cwd=self.directory)
        return git("rev-parse", "HEAD", cwd=self.directory)

    def push(self, *arguments: str) -> str:
        """Push and return what the terminal shows; a failed push raises."""
        return git("push", "origin", *arguments, cwd=self.directory)


@pytest.fixture
def copy(tmp_path: Path, local: LocalRepository, receiver: Receiver) -> WorkingCopy:
    return WorkingCopy(tmp_path / "work", local, receiver)


def payloads(receiver: Receiver) -> list[dict[str, object]]:
    return [json.loads(body) for _, body in receiver.received]


def test_a_push_is_delivered_signed_and_shaped_like_githubs(
    copy: WorkingCopy, local: LocalRepository, receiver: Receiver
) -> None:
    commit = copy.commit("Say hello 🚀\n\nMore words")

    shown = copy.push("HEAD:main")

    [(headers, body)] = receiver.received
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={signature}"
    assert headers["X-GitHub-Event"] == "push"
    assert f"previewbot: accepted ({headers['X-GitHub-Delivery']})" in shown
    payload = json.loads(body)
    assert payload["head_commit"]["message"] == "Say hello 🚀\n\nMore words"
    assert payload["head_commit"]["author"] == {"name": "A", "email": "a@example.com"}
    event = parse("push", payload)
    assert isinstance(event, BranchPushed)
    assert (event.repository, event.branch) == (local.repository, "main")
    assert (event.before, event.after, event.forced) == (None, commit, False)


def test_force_is_told_from_moving_on(copy: WorkingCopy, receiver: Receiver) -> None:
    copy.commit()
    copy.push("HEAD:main")
    first = git("rev-parse", "HEAD", cwd=copy.directory)
    copy.commit()
    copy.push("HEAD:main")

    copy.push("--force", f"{first}:refs/heads/main")

    assert [payload["forced"] for payload in payloads(receiver)] == [False, False, True]


def test_each_ref_of_a_push_is_a_delivery_of_its_own(
    copy: WorkingCopy, receiver: Receiver
) -> None:
    copy.commit()
    git("tag", "-a", "v1", "-m", "tag", cwd=copy.directory)

    copy.push("HEAD:refs/heads/a;b", "HEAD:refs/heads/-x", "v1", "HEAD:refs/notes/n")

    refs = [payload["ref"] for payload in payloads(receiver)]
    assert sorted(map(str, refs)) == ["refs/heads/-x", "refs/heads/a;b", "refs/tags/v1"]


def test_a_deleted_branch_is_told(copy: WorkingCopy, receiver: Receiver) -> None:
    commit = copy.commit()
    copy.push("HEAD:feature/x")

    copy.push("--delete", "feature/x")

    payload = payloads(receiver)[-1]
    assert payload["head_commit"] is None
    event = parse("push", payload)
    assert isinstance(event, BranchDeleted)
    assert (event.branch, event.before) == ("feature/x", commit)


def test_a_receiver_that_is_away_does_not_fail_the_push(
    local: LocalRepository, tmp_path: Path
) -> None:
    copy = WorkingCopy(tmp_path / "work", local, Receiver(url="http://127.0.0.1:9/"))
    commit = copy.commit()

    shown = copy.push("HEAD:main")

    assert "previewbot: not reached" in shown
    assert git("rev-parse", "main", cwd=local.path) == commit


def test_a_repository_that_is_not_ours_does_not_fail_the_push(
    copy: WorkingCopy, local: LocalRepository, receiver: Receiver
) -> None:
    git("config", "--unset", "previewbot.id", cwd=local.path)
    copy.commit()

    assert "previewbot: nobody was told" in copy.push("HEAD:main")
    assert receiver.received == []


def test_only_branches_and_tags_are_announced() -> None:
    lines = [f"{'0' * 40} {'1' * 40} {ref}\n" for ref in ("refs/heads/a", "refs/pull/1/head")]

    assert updates(lines) == [RefUpdate(before="0" * 40, after="1" * 40, ref="refs/heads/a")]


RESTART = "Restart `previewbot up` on this data directory and push again"
LOOK = "See the log of `previewbot up`"
START = "Start `previewbot up` and push again"


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (202, "x", "accepted (g)"),
        (401, "no", f"refused the signature (401); the push is kept. {RESTART}"),
        (500, "\x1b[31mred\n", f"answered 500 ([31mred); the push is kept. {LOOK}"),
        (0, "Connection refused", f"not reached (Connection refused); the push is kept. {START}"),
    ],
)
def test_the_pusher_reads_one_line_that_says_what_to_do(status: int, body: str, line: str) -> None:
    assert message(Answer(status=status, body=body), "g") == f"previewbot: {line}"


def test_an_answer_is_returned_as_it_came(receiver: Receiver) -> None:
    receiver.status, receiver.body = 413, b"too large"

    assert deliver(receiver.url, {}, SECRET, "g") == Answer(status=413, body="too large")


@pytest.mark.parametrize("url", ["", "http://", "http://[", "http://127.0.0.1:x/", "gopher:x"])
def test_an_address_that_is_none_is_an_answer_too(url: str) -> None:
    assert deliver(url, {}, SECRET, "g").status == 0


def test_it_imports_only_the_standard_library() -> None:
    code = "import sys, bot.adapters.local.push_hook; print(*sys.modules)"

    output = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    foreign = {name.partition(".")[0] for name in output.stdout.split()} - {"bot"}
    assert foreign <= {*sys.stdlib_module_names, "__main__", "_distutils_hack"}
