"""Our comments on a pull request, written once and edited in place; reactions to others'."""

from collections.abc import Iterator

from github import Github, UnknownObjectException
from pydantic import TypeAdapter

from bot.adapters.github import texts
from bot.adapters.github.auth import Access
from bot.adapters.github.clients import PAGE_SIZE
from bot.adapters.github.limits import Retries
from bot.core.model.commands import Reaction
from bot.core.model.ids import CommentId, Repository
from bot.core.model.surfaces import StickyComment
from bot.wire.github import CommentAnswer

WRITE = "pull requests: write"

# 1,000 comments: whoever writes more has hidden ours, which is then written anew.
MAX_PAGES = 10

_COMMENTS = TypeAdapter(list[CommentAnswer])


class Comments:
    """Writes comments on pull requests, which to GitHub are issues."""

    def __init__(self, access: Access, retries: Retries) -> None:
        """Write as `access`."""
        self._access = access
        self._retries = retries

    def publish(self, comment: StickyComment, ref: str | None) -> str:
        """Make `comment` stand; see `bot.ports.forge`."""

        def attempt(_number: int) -> str:
            client = self._access.client(comment.repository)
            if ref is not None and _edited(client, comment, int(ref)):
                return ref
            return str(self._found_or_created(client, comment))

        return self._retries.call(
            f"commenting on {comment.repository.name}#{comment.pull}",
            attempt,
            right=WRITE,
            log_in_again=lambda: self._access.forget(comment.repository),
        )

    def react(self, repository: Repository, comment: CommentId, reaction: Reaction) -> None:
        """Let `reaction` stand under a comment; GitHub answers a repetition with the first one.

        https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment
        """
        path = f"/repos/{repository.name}/issues/comments/{comment}/reactions"

        def attempt(_number: int) -> None:
            requester = self._access.client(repository).requester
            requester.requestJsonAndCheck("POST", path, input={"content": str(reaction)})

        self._retries.call(
            f"POST {path}",
            attempt,
            right=WRITE,
            log_in_again=lambda: self._access.forget(repository),
        )

    def _found_or_created(self, client: Github, comment: StickyComment) -> int:
        """Edit the comment that is there, else write one.

        Two workers may both see none; so after writing the oldest is looked for once more, and
        whoever's is not the oldest takes it back.
        """
        found = self._oldest(client, comment)
        if found is not None and _edited(client, comment, found):
            return found
        path = f"/repos/{comment.repository.name}/issues/{comment.pull}/comments"
        _, answer = client.requester.requestJsonAndCheck("POST", path, input=_fields(comment))
        written = CommentAnswer.model_validate(answer).id
        oldest = self._oldest(client, comment)
        if oldest is None or oldest >= written:
            return written
        client.requester.requestJsonAndCheck("DELETE", _path(comment, written))
        return oldest if _edited(client, comment, oldest) else written

    def _oldest(self, client: Github, comment: StickyComment) -> int | None:
        """Return the id of our oldest comment with the marker; GitHub lists the oldest first."""
        login = self._access.login()
        if login is None:
            return None
        for found in _listed(client, comment):
            ours = found.user is not None and found.user.login == login
            if ours and found.body.startswith(comment.marker):
                return found.id
        return None


def _listed(client: Github, comment: StickyComment) -> Iterator[CommentAnswer]:
    path = f"/repos/{comment.repository.name}/issues/{comment.pull}/comments"
    for page in range(1, MAX_PAGES + 1):
        asked = {"per_page": str(PAGE_SIZE), "page": str(page)}
        _, answer = client.requester.requestJsonAndCheck("GET", path, parameters=asked)
        comments = _COMMENTS.validate_python(answer)
        yield from comments
        if len(comments) < PAGE_SIZE:
            return


def _edited(client: Github, comment: StickyComment, number: int) -> bool:
    """Change the comment; False when it is there no more."""
    path = _path(comment, number)
    try:
        client.requester.requestJsonAndCheck("PATCH", path, input=_fields(comment))
    except UnknownObjectException:
        return False
    return True


def _path(comment: StickyComment, number: int) -> str:
    return f"/repos/{comment.repository.name}/issues/comments/{number}"


def _fields(comment: StickyComment) -> dict[str, str]:
    return {"body": texts.fitting(comment.body, texts.MAX_COMMENT)}
