"""`push`, `create` and `delete`: branches."""

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.errors import PayloadNotUnderstood
from bot.core.model.events import BranchDeleted, BranchPushed, Event
from bot.core.model.ids import Branch, CommitSha
from bot.webhooks.reading import (
    BRANCH_PREFIX,
    branch_of,
    commit_of,
    not_handled,
    quoted,
    read,
    repository_of,
)
from bot.wire.github import PushPayload
from bot.wire.github_events import CreatePayload, DeletePayload

TAG_PREFIX = "refs/tags/"


def push(payload: object) -> Event | Ignored:
    """Return where a branch points now, or that it is gone."""
    pushed = read(PushPayload, payload)
    branch = branch_of(pushed.ref.removeprefix(BRANCH_PREFIX).removeprefix(TAG_PREFIX), "ref")
    if pushed.ref.startswith(TAG_PREFIX):
        return Ignored(reason=Reason.TAG_PUSH, detail=f"{quoted(pushed.ref)} is a tag")
    if not pushed.ref.startswith(BRANCH_PREFIX):
        return Ignored(
            reason=Reason.EVENT_NOT_HANDLED, detail=f"{quoted(pushed.ref)} is not a branch"
        )
    return _moved(pushed, branch)


def create(payload: object) -> Ignored:
    """Return nothing to do: a push comes along with every new branch, and says more."""
    created = read(CreatePayload, payload)
    if created.ref_type != "branch":
        return not_handled(f"a new {created.ref_type}")
    return Ignored(
        reason=Reason.PUSH_FOLLOWS,
        detail=f"the push that made {quoted(created.ref)} says what it points at",
    )


def delete(payload: object) -> Event | Ignored:
    """Return which branch is gone; a push says the same, but not always."""
    deleted = read(DeletePayload, payload)
    if deleted.ref_type != "branch":
        return not_handled(f"the end of a {deleted.ref_type}")
    return BranchDeleted(
        repository=repository_of(deleted.repository, deleted.installation),
        branch=branch_of(deleted.ref, "ref"),
        before=None,
    )


def _moved(pushed: PushPayload, branch: Branch) -> BranchPushed | BranchDeleted:
    repository = repository_of(pushed.repository, pushed.installation)
    before, after = commit_of(pushed.before, "before"), commit_of(pushed.after, "after")
    if pushed.deleted != _is_nothing(after):
        msg = "deleted does not agree with after"
        raise PayloadNotUnderstood(msg)
    known_before = None if _is_nothing(before) else before
    if pushed.deleted:
        return BranchDeleted(repository=repository, branch=branch, before=known_before)
    return BranchPushed(
        repository=repository,
        branch=branch,
        before=known_before,
        after=after,
        forced=pushed.forced,
    )


def _is_nothing(sha: CommitSha) -> bool:
    """Say whether `sha` is git's way of writing "no commit": all zeros."""
    return not sha.strip("0")
