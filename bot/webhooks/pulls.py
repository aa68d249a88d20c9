"""`pull_request` and `issue_comment`: pull requests and what is said on them."""

from collections.abc import Callable

from bot.core.decide.grammar import may_be_command
from bot.core.model.decisions import Ignored, Reason
from bot.core.model.errors import PayloadNotUnderstood
from bot.core.model.events import (
    CommentWritten,
    Event,
    PullRequestClosed,
    PullRequestConvertedToDraft,
    PullRequestLabeled,
    PullRequestMarkedReady,
    PullRequestOpened,
    PullRequestReopened,
    PullRequestRetargeted,
    PullRequestSynchronized,
    PullRequestUnlabeled,
)
from bot.core.model.ids import CommentId, Login, PullNumber, Repository, RepositoryId
from bot.core.model.pulls import PullRequest, PullState
from bot.webhooks.reading import branch_of, commit_of, not_handled, read, repository_of
from bot.wire.github_events import (
    CommentPart,
    IssueCommentPayload,
    PullRequestPart,
    PullRequestPayload,
    UserPart,
)

# The account that stands for deleted ones; where GitHub tells no account it means this.
GHOST = UserPart(login="ghost", type="User")

_PLAIN: dict[str, Callable[..., Event]] = {
    "opened": PullRequestOpened,
    "reopened": PullRequestReopened,
    "synchronize": PullRequestSynchronized,
    "closed": PullRequestClosed,
    "ready_for_review": PullRequestMarkedReady,
    "converted_to_draft": PullRequestConvertedToDraft,
}


def pull_request(payload: object) -> Event | Ignored:
    """Return what happened to a pull request."""
    found = read(PullRequestPayload, payload)
    repository = repository_of(found.repository, found.installation)
    pull = pull_of(found.pull_request)
    if found.number != pull.number:
        msg = "number does not agree with pull_request.number"
        raise PayloadNotUnderstood(msg)
    if (plain := _PLAIN.get(found.action)) is not None:
        return plain(repository=repository, pull=pull)
    if found.action == "edited" and found.former_base is not None:
        former_base = branch_of(found.former_base, "changes.base.ref.from")
        return PullRequestRetargeted(repository=repository, pull=pull, former_base=former_base)
    if found.action in {"labeled", "unlabeled"}:
        return _labels_changed(found, repository, pull)
    return not_handled(f"pull_request.{found.action}")


def _labels_changed(found: PullRequestPayload, repository: Repository, pull: PullRequest) -> Event:
    label = found.label.name if found.label is not None else ""  # deleted with all its uses
    if found.action == "labeled":
        return PullRequestLabeled(repository=repository, pull=pull, label=label)
    return PullRequestUnlabeled(repository=repository, pull=pull, label=label)


def pull_of(part: PullRequestPart) -> PullRequest:
    """Return a pull request as GitHub describes it.

    Raises:
        PayloadNotUnderstood: a commit or branch is none; the place is named.

    """
    author = part.user or GHOST
    fork = part.head.repo
    return PullRequest(
        number=PullNumber(part.number),
        state=_state(part),
        author=Login(author.login),
        author_is_bot=is_bot(author),
        head=commit_of(part.head.sha, "pull_request.head.sha"),
        head_branch=branch_of(part.head.ref, "pull_request.head.ref"),
        head_repository=None if fork is None else RepositoryId(fork.id),
        base_branch=branch_of(part.base.ref, "pull_request.base.ref"),
        draft=part.draft,
        labels=tuple(label.name for label in part.labels),
    )


def issue_comment(payload: object) -> Event | Ignored:
    """Return a new comment on a pull request that begins as a command does.

    Edited ones are no commands: who edits may be another than who wrote, and GitHub does not say
    whose words they are now.
    """
    found = read(IssueCommentPayload, payload)
    repository = repository_of(found.repository, found.installation)
    if found.action != "created":
        return not_handled(f"issue_comment.{found.action}")
    if found.issue.pull_request is None:
        return Ignored(
            reason=Reason.NOT_A_PULL_REQUEST, detail=f"#{found.issue.number} is an issue"
        )
    return _said(found.comment, repository, PullNumber(found.issue.number))


def _said(comment: CommentPart, repository: Repository, pull: PullNumber) -> Event | Ignored:
    author = comment.user or GHOST
    text = comment.body.lstrip().split("\n", 1)[0].strip()
    if not may_be_command(text):
        return Ignored(reason=Reason.NO_COMMAND, detail="the comment does not begin with /preview")
    if is_bot(author):
        return Ignored(reason=Reason.BY_A_BOT, detail=f"{author.login} is a bot")
    return CommentWritten(
        repository=repository,
        pull=pull,
        comment=CommentId(comment.id),
        author=Login(author.login),
        text=text,
    )


def is_bot(user: UserPart) -> bool:
    """Tell whether GitHub says so; an account that a person made for a machine is a person's."""
    return user.type != "User"


def _state(part: PullRequestPart) -> PullState:
    if part.state == "open":
        return PullState.OPEN
    return PullState.CLOSED if part.merged_at is None else PullState.MERGED
