"""From `git push` to a webhook: what our repositories' post-receive hook does.

Runs once a push while the pusher waits, so only the standard library is imported.
"""

import hashlib
import hmac
import json
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.kernel.ids import RandomIds
from bot.kernel.processes import built_environment

Payload = dict[str, Any]

# How long the pusher waits for the receiver, which answers in milliseconds.
_TIMEOUT_S = 10.0

_GIT_TIMEOUT_S = 10.0

_MAX_ANSWER_BYTES = 4096

_UNAUTHORIZED = 401

# GitHub sends a push event for branches and tags, and for nothing else.
_ANNOUNCED = ("refs/heads/", "refs/tags/")

# Nobody's login on GitHub: a space is not allowed there.
_PUSHER = "local push"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefUpdate:
    """One line of post-receive's input; all zeros mean that there was, or is, no such ref."""

    before: str
    after: str
    ref: str

    @property
    def created(self) -> bool:
        """Tell whether the ref is new."""
        return not self.before.strip("0")

    @property
    def deleted(self) -> bool:
        """Tell whether the ref is gone."""
        return not self.after.strip("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """What a payload says of a commit."""

    id: str
    tree: str
    timestamp: str  # ISO 8601 with offset
    author_name: str
    author_email: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One ref update with everything that git had to be asked for."""

    update: RefUpdate
    forced: bool
    head: CommitFacts | None  # None when the ref is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedTo:
    """The repository as payloads describe it."""

    id: int
    name: str  # "owner/name"
    path: Path
    default_branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the receiver said; status 0 when there was no answer, and `body` says why."""

    status: int
    body: str


def after_push(
    lines: Iterable[str], repository: Path, name: str, webhook_url: str, secret: str
) -> Iterator[str]:
    """Deliver one push event for each line of post-receive's input; yield what the pusher reads.

    `repository` is the bare repository known as `name`. Nothing that goes wrong here is raised:
    the push has happened, and it must not look as if it had failed.
    """
    try:
        place = described(repository, name)
        for update in updates(lines):
            event = payload(pushed(update, repository), place)
            guid = RandomIds().new()
            yield message(deliver(webhook_url, event, secret, guid), guid)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield f"previewbot: nobody was told ({error}); the push is kept"


def described(repository: Path, name: str) -> PushedTo:
    """Return what payloads say about the bare `repository` known as `name`.

    Raises:
        ValueError: it is none of ours, for it has no id.

    """
    head = (repository / "HEAD").read_text().strip()
    number = _git(repository, "config", "previewbot.id").stdout.decode()
    if not number.strip().isdecimal():
        msg = f"{repository} has no previewbot.id; make it with `previewbot`"
        raise ValueError(msg)
    return PushedTo(
        id=int(number),
        name=name,
        path=repository,
        default_branch=head.removeprefix("ref: refs/heads/"),
    )


def updates(lines: Iterable[str]) -> list[RefUpdate]:
    """Return the branch and tag updates in post-receive's standard input."""
    found: list[RefUpdate] = []
    for line in lines:
        before, after, ref = line.rstrip("\n").split(" ", 2)
        if ref.startswith(_ANNOUNCED):
            found.append(RefUpdate(before=before, after=after, ref=ref))
    return found


def pushed(update: RefUpdate, repository: Path) -> Pushed:
    """Ask git about `update` in the bare `repository`."""
    forced = not (update.created or update.deleted) and not _succeeds(
        repository, "merge-base", "--is-ancestor", update.before, update.after
    )
    head = None if update.deleted else _facts(repository, update.after)
    return Pushed(update=update, forced=forced, head=head)


def payload(push: Pushed, repository: PushedTo) -> Payload:
    """Return the `push` event for one ref, in GitHub's shape.

    Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
    """
    update = push.update
    head = None if push.head is None else _commit(push.head)
    owner = repository.name.partition("/")[0]
    return {
        "ref": update.ref,
        "before": update.before,
        "after": update.after,
        "created": update.created,
        "deleted": update.deleted,
        "forced": push.forced,
        "base_ref": None,
        "compare": "",
        "commits": [] if head is None else [head],
        "head_commit": head,
        "repository": _repository(repository, owner),
        "pusher": {"name": _PUSHER, "email": None},
        "sender": {"id": 0, "login": _PUSHER, "type": "User"},
    }


def deliver(webhook_url: str, event: Payload, secret: str, guid: str) -> Answer:
    """Post `event` as GitHub would, signed with `secret`; never raises for a network's sake."""
    body = json.dumps(event, ensure_ascii=False).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/previewbot-local",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Hook-ID": "local",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
    try:
        return _posted(webhook_url, headers, body)
    except (OSError, ValueError) as error:
        return Answer(status=0, body=str(error) or type(error).__name__)


def _posted(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Post by hand: http.client brings the email package along, 25 ms of every push.

    As HTTP/1.0, so that the answer ends where the connection ends.
    """
    address = urlsplit(url)
    secure = address.scheme == "https"
    if not address.hostname or not (secure or address.scheme == "http"):
        msg = f"{url!r} is no address of a receiver"
        raise ValueError(msg)
    port = address.port or (443 if secure else 80)
    every = {**headers, "Host": address.netloc, "Content-Length": str(len(body))}
    head = [f"POST {address.path or '/'} HTTP/1.0", *(f"{k}: {v}" for k, v in every.items())]
    with socket.create_connection((address.hostname, port), _TIMEOUT_S) as plain:
        connection = _encrypted(plain, address.hostname) if secure else plain
        connection.sendall("\r\n".join([*head, "", ""]).encode("ascii") + body)
        with connection.makefile("rb") as answer:
            status = answer.readline().split(b" ", 2)[1:2]
            while answer.readline().strip():
                pass
            text = answer.read(_MAX_ANSWER_BYTES).decode(errors="replace")
    return Answer(status=int(status[0]) if status else 0, body=text)


def _encrypted(connection: socket.socket, host: str) -> socket.socket:
    import ssl  # noqa: PLC0415 - 5 ms, for a receiver elsewhere only

    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def message(answer: Answer, guid: str) -> str:
    """Return the one line that the pusher reads; it says what to do when something is wrong."""
    if answer.status in range(200, 300):
        return f"previewbot: accepted ({guid})"
    said = "".join(char if char.isprintable() else " " for char in answer.body)[:200].strip()
    if answer.status == 0:
        return (
            f"previewbot: not reached ({said}); the push is kept. "
            "Start `previewbot up` and push again"
        )
    if answer.status == _UNAUTHORIZED:
        return (
            "previewbot: refused the signature (401); the push is kept. "
            "Restart `previewbot up` on this data directory and push again"
        )
    return (
        f"previewbot: answered {answer.status} ({said}); the push is kept. "
        "See the log of `previewbot up`"
    )


def _repository(repository: PushedTo, owner: str) -> Payload:
    address = repository.path.as_uri()
    return {
        "id": repository.id,
        "name": repository.name.partition("/")[2],
        "full_name": repository.name,
        "private": False,
        "fork": False,
        "owner": {"id": 0, "name": owner, "login": owner, "type": "User"},
        "html_url": address,
        "url": address,
        "clone_url": address,
        "git_url": address,
        "ssh_url": address,
        "default_branch": repository.default_branch,
        "master_branch": repository.default_branch,
    }


def _commit(facts: CommitFacts) -> Payload:
    person = {"name": facts.author_name, "email": facts.author_email}
    return {
        "id": facts.id,
        "tree_id": facts.tree,
        "distinct": True,
        "message": facts.message,
        "timestamp": facts.timestamp,
        "url": "",
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": [],
    }


def _facts(repository: Path, commit: str) -> CommitFacts | None:
    """Return what git says of `commit`, or None for what is no commit (a tag of a blob)."""
    form = "--format=%H%x00%T%x00%cI%x00%an%x00%ae%x00%B"
    # --no-walk first: an annotated tag is followed to its commit.
    result = _git(repository, "log", "--no-walk", form, commit, "--")
    fields = result.stdout.decode(errors="replace").split("\0")
    if result.returncode != 0 or len(fields) != 6:  # noqa: PLR2004 - as many as in `form`
        return None
    return CommitFacts(
        id=fields[0],
        tree=fields[1],
        timestamp=fields[2],
        author_name=fields[3],
        author_email=fields[4],
        message=fields[5].strip("\n"),
    )


def _succeeds(repository: Path, *arguments: str) -> bool:
    return _git(repository, *arguments).returncode == 0


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # The hook's own environment is receive-pack's (GIT_DIR=., the pusher's variables): not used.
    environment = built_environment(
        GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", GIT_DIR=str(repository)
    )
    return subprocess.run(  # noqa: S603 - a list, no shell; object ids from receive-pack
        ["git", *arguments],  # noqa: S607 - the operator's PATH says which git
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_GIT_TIMEOUT_S,
        check=False,
    )
