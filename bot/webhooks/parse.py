"""From GitHub's payload to what happened, or to the reason why nothing follows.

`X-GitHub-Event` is outside the signature, so a body that was signed as one kind could be replayed
as another: the payload's shape must agree with the name. Addresses in it (`clone_url`) are never
read.
"""

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.events import BranchDeleted, BranchPushed, Event
from bot.core.model.ids import Branch, CommitSha, Repository, RepositoryId, commit_sha, repo_name
from bot.wire.github import Payload, PingPayload, PushPayload

BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"

# Git's files backend cannot store more than a path's worth; GitHub refuses far shorter ones.
MAX_REF_BYTES = 1024

# Enough of somebody else's text to recognise it by.
QUOTED_CHARACTERS = 100

Model = TypeVar("Model", bound=Payload)


def parse(event_name: str, payload: object) -> Event | Ignored:
    """Return what a delivery means. Never raises, whatever JSON value `payload` is."""
    handler = _HANDLERS.get(event_name)
    if handler is None:
        return Ignored(
            reason=Reason.EVENT_NOT_HANDLED, detail=f"nothing follows from a {event_name} event"
        )
    return handler(payload)


def _ping(payload: object) -> Ignored:
    match _read(PingPayload, payload):
        case Ignored() as ignored:
            return ignored
        case ping:
            return Ignored(reason=Reason.PING, detail=f"webhook {ping.hook_id} is connected")


def _push(payload: object) -> Event | Ignored:
    match _read(PushPayload, payload):
        case Ignored() as ignored:
            return ignored
        case push:
            return _moved_ref(push)


def _moved_ref(push: PushPayload) -> Event | Ignored:
    if (problem := _ref_problem(push.ref)) is not None:
        return _not_understood(problem)
    if push.ref.startswith(TAG_PREFIX):
        return Ignored(reason=Reason.TAG_PUSH, detail=f"{_quoted(push.ref)} is a tag")
    if not push.ref.startswith(BRANCH_PREFIX):
        return Ignored(
            reason=Reason.EVENT_NOT_HANDLED, detail=f"{_quoted(push.ref)} is not a branch"
        )
    return _moved_branch(push, Branch(push.ref.removeprefix(BRANCH_PREFIX)))


def _moved_branch(push: PushPayload, branch: Branch) -> Event | Ignored:
    name = repo_name(push.repository.full_name)
    before, after = commit_sha(push.before), commit_sha(push.after)
    if name is None:
        return _not_understood("repository.full_name is not an owner and a name")
    if before is None or after is None:
        return _not_understood("before or after is not a commit id")
    if push.deleted != _is_nothing(after):
        return _not_understood("deleted does not agree with after")
    repository = Repository(
        id=RepositoryId(push.repository.id),
        name=name,
        default_branch=Branch(push.repository.default_branch),
        installation=push.installation.id if push.installation is not None else None,
    )
    known_before = None if _is_nothing(before) else before
    if push.deleted:
        return BranchDeleted(repository=repository, branch=branch, before=known_before)
    return BranchPushed(
        repository=repository,
        branch=branch,
        before=known_before,
        after=after,
        forced=push.forced,
    )


def _is_nothing(sha: CommitSha) -> bool:
    """Say whether `sha` is git's way of writing "no commit": all zeros."""
    return not sha.strip("0")


def _ref_problem(ref: str) -> str | None:
    """Return why `ref` cannot be a ref; odd characters alone are no reason, they are data."""
    short = ref.removeprefix(BRANCH_PREFIX).removeprefix(TAG_PREFIX)
    if not short or any(ord(letter) < 0x20 or letter == "\x7f" for letter in ref):  # noqa: PLR2004
        return "ref is empty or has control characters"  # which git itself refuses
    if len(ref.encode("utf-8", "surrogatepass")) > MAX_REF_BYTES:
        return f"ref is longer than {MAX_REF_BYTES} bytes"
    return None


def _read(model: type[Model], payload: object) -> Model | Ignored:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the payload"
        return _not_understood(f"{place}: {first['msg']}")


def _not_understood(problem: str) -> Ignored:
    return Ignored(reason=Reason.PAYLOAD_NOT_UNDERSTOOD, detail=problem)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}...")


_HANDLERS: dict[str, Callable[[object], Event | Ignored]] = {"ping": _ping, "push": _push}
