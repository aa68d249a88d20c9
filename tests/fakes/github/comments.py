"""Endpoints of comments on pull requests."""

from tests.fakes.github import limits
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.entities import Comment, Reaction
from tests.fakes.github.refusals import Refusal, not_found

# Comments on pull requests accept this right; `issues: write` would do too.
READ = ("pull_requests", "read")
WRITE = ("pull_requests", "write")


def create(call: Call) -> Answer:
    """POST a comment."""
    limits.comment(call.body["body"])
    place = (call.repository.full_name, int(call.parameters["issue_number"]))
    if place not in call.store.pulls:
        raise not_found()
    now = call.store.clock.now()
    comment = Comment(
        id=call.store.number(),
        repository=call.repository.full_name,
        issue=place[1],
        author=call.caller.login,
        body=call.body["body"],
        created_at=now,
        updated_at=now,
    )
    with call.store.changing():
        call.store.comments[comment.id] = comment
    return Answer(status=201, document=call.documents.comment(comment))


def list_for_issue(call: Call) -> Answer:
    """GET the comments of a pull request, oldest first."""
    place = (call.repository.full_name, int(call.parameters["issue_number"]))
    found = [c for c in call.store.comments.values() if (c.repository, c.issue) == place]
    page, headers = call.page(found)
    return Answer(document=[call.documents.comment(c) for c in page], headers=headers)


def get(call: Call) -> Answer:
    """GET a comment."""
    return Answer(document=call.documents.comment(_comment(call)))


def update(call: Call) -> Answer:
    """PATCH a comment."""
    limits.comment(call.body["body"])
    comment = _own(call)
    with call.store.changing():
        comment.body = call.body["body"]
        comment.updated_at = call.store.clock.now()
    return Answer(document=call.documents.comment(comment))


def delete(call: Call) -> Answer:
    """DELETE a comment."""
    comment = _own(call)
    with call.store.changing():
        del call.store.comments[comment.id]
    return Answer(status=204)


def react(call: Call) -> Answer:
    """POST a reaction; the same one again is answered with 200 instead of 201."""
    comment = _comment(call)
    content = call.body["content"]
    with call.store.changing():
        found = [
            r for r in comment.reactions if (r.author, r.content) == (call.caller.login, content)
        ]
        if found:
            return Answer(document=call.documents.reaction(found[0]))
        reaction = Reaction(
            id=call.store.number(),
            author=call.caller.login,
            content=content,
            created_at=call.store.clock.now(),
        )
        comment.reactions.append(reaction)
    return Answer(status=201, document=call.documents.reaction(reaction))


def _own(call: Call) -> Comment:
    """Return the comment, unless somebody else wrote it and the caller may not touch it."""
    comment = _comment(call)
    if comment.author != call.caller.login:
        raise Refusal(403, "Resource not accessible by integration")
    return comment


def _comment(call: Call) -> Comment:
    comment = call.store.comments.get(int(call.parameters["comment_id"]))
    if comment is None or comment.repository != call.repository.full_name:
        raise not_found()
    return comment


_ISSUES = "/repos/{owner}/{repo}/issues"
_OF_ISSUE = f"{_ISSUES}/{{issue_number}}/comments"
_ONE = f"{_ISSUES}/comments/{{comment_id}}"

ROUTES = [
    Route(method="POST", pattern=_OF_ISSUE, permission=WRITE, handler=create),
    Route(method="GET", pattern=_OF_ISSUE, permission=READ, handler=list_for_issue),
    Route(method="GET", pattern=_ONE, permission=READ, handler=get),
    Route(method="PATCH", pattern=_ONE, permission=WRITE, handler=update),
    Route(method="DELETE", pattern=_ONE, permission=WRITE, handler=delete),
    Route(method="POST", pattern=f"{_ONE}/reactions", permission=WRITE, handler=react),
]
