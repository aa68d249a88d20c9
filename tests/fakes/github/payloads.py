"""Webhook payloads shaped exactly like GitHub's, made from the example deliveries."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from tests.fakes.github.documents import Documents, examples
from tests.fakes.github.entities import Installation, JsonObject
from tests.fakes.github.repository import NO_COMMIT, FakeRepository

# GitHub lists at most 2048 commits of a push; the fake's repositories have fewer.
MAX_COMMITS = 2048

_FIELDS = "%H%x00%T%x00%cI%x00%an%x00%ae%x00%B"


def push(
    documents: Documents,
    repository: FakeRepository,
    ref: str,
    *,
    before: str,
    after: str,
    installation: Installation | None,
    login: str,
) -> JsonObject:
    """Return the `push` payload for `ref` moving from `before` to `after` (zeros: not there)."""
    html = f"{documents.html_url}/{repository.full_name}"
    deleted = after == NO_COMMIT
    created = before == NO_COMMIT
    commits = [] if deleted else _commits(repository, html, before, after)
    payload: JsonObject = deepcopy(examples()["push"][4])
    payload |= {
        "ref": ref,
        "before": before,
        "after": after,
        "created": created,
        "deleted": deleted,
        "forced": not created and not deleted and not repository.contains(before, after),
        "base_ref": None,
        "compare": f"{html}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": commits[-1] if commits else None,
        "repository": _repository(documents, repository),
        "pusher": {"name": login, "email": f"{login}@users.noreply.github.com"},
        "sender": documents.user(login),
    }
    payload.pop("installation", None)
    if installation is not None:
        payload["installation"] = {"id": installation.id, "node_id": f"MDI_{installation.id}"}
    return payload


def _repository(documents: Documents, repository: FakeRepository) -> JsonObject:
    """Return the repository as `push` has it: times are numbers, the URL is the page's."""
    moment = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp())
    html = f"{documents.html_url}/{repository.full_name}"
    return documents.repository(repository) | {
        "url": html,
        "created_at": moment,
        "pushed_at": moment,
        "stargazers": 0,
    }


def _commits(repository: FakeRepository, html: str, before: str, after: str) -> list[JsonObject]:
    """Return the commits that the push brought, oldest first; for a new branch the head alone."""
    if not repository.has_commit(after):  # a test of a commit that is gone
        return [
            _commit(html, [after, "0" * 40, "2026-01-02T03:04:05Z", "Octo", "o@e.com", "Gone"])
        ]
    span = [f"--max-count={MAX_COMMITS}", f"{before}..{after}"]
    if before == NO_COMMIT or not repository.has_commit(before):
        span = ["--max-count=1", after]
    listed = repository.git("log", "--reverse", "-z", f"--format={_FIELDS}%x01", *span)
    found = []
    for record in listed.split("\x01")[:-1]:
        fields = record.removeprefix("\0").split("\0")
        found.append(_commit(html, fields) | _changes(repository, fields[0]))
    return found


def _commit(html: str, fields: list[str]) -> JsonObject:
    sha, tree, moment, name, email, message = fields
    person = {"name": name, "email": email, "username": "octocat"}
    return {
        "id": sha,
        "tree_id": tree,
        "distinct": True,
        "message": message.rstrip("\n"),
        "timestamp": moment,
        "url": f"{html}/commit/{sha}",
        "author": person,
        "committer": dict(person),
        "added": [],
        "removed": [],
        "modified": [],
    }


def _changes(repository: FakeRepository, sha: str) -> JsonObject:
    listed = repository.git(
        "diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", sha
    )
    words = listed.split("\0")[:-1]
    lists: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    key = {"A": "added", "D": "removed"}
    for letter, path in zip(words[::2], words[1::2], strict=True):
        # JSON carries no raw bytes: a name that is not UTF-8 arrives with replacements.
        text = path.encode(errors="surrogateescape").decode(errors="replace")
        lists[key.get(letter, "modified")].append(text)
    return dict(lists)


def encode(payload: Mapping[str, Any] | bytes) -> bytes:
    """Return the body as GitHub sends it: compact JSON in UTF-8; bytes stay as they are."""
    if isinstance(payload, bytes):
        return payload
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def headers(event: str, guid: str, hook: int, body: bytes, secret: str | None) -> dict[str, str]:
    """Return the headers of a delivery; without a secret it is not signed."""
    found = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook),
        "X-GitHub-Hook-Installation-Target-ID": "1",
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if secret is not None:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        found["X-Hub-Signature-256"] = f"sha256={digest}"
    return found
