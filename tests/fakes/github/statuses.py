"""Endpoints of commit statuses."""

from tests.fakes.github import limits
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.entities import CommitStatus
from tests.fakes.github.refusals import Refusal


def create_status(call: Call) -> Answer:
    """POST a commit status."""
    limits.description(call.body.get("description"))
    limits.web_address(call.body.get("target_url"), "target_url")
    status = CommitStatus(
        id=call.store.number(),
        repository=call.repository.full_name,
        sha=call.commit(call.parameters["sha"]),
        state=call.body["state"],
        context=call.body.get("context", "default"),
        description=call.body.get("description"),
        target_url=call.body.get("target_url"),
        creator=call.caller.login,
        created_at=call.store.clock.now(),
    )
    with call.store.changing():
        same = [s for s in statuses_of(call, status.sha) if context_of(s) == context_of(status)]
        if len(same) >= limits.MAX_STATUSES:
            raise Refusal(422, "This SHA and context has reached the maximum number of statuses.")
        call.store.statuses.append(status)
    return Answer(status=201, document=call.documents.status(status))


def list_statuses(call: Call) -> Answer:
    """GET the commit statuses of a commit, newest first."""
    found = statuses_of(call, call.commit(call.parameters["ref"]))[::-1]
    page, headers = call.page(found)
    return Answer(document=[call.documents.status(status) for status in page], headers=headers)


def context_of(status: CommitStatus) -> str:
    return status.context.lower()  # "This field is case-insensitive."


def statuses_of(call: Call, sha: str) -> list[CommitStatus]:
    return [
        status
        for status in call.store.statuses
        if status.sha == sha and status.repository == call.repository.full_name
    ]


_REPOSITORY = "/repos/{owner}/{repo}"

ROUTES = [
    Route(
        method="POST",
        pattern=f"{_REPOSITORY}/statuses/{{sha}}",
        permission=("statuses", "write"),
        handler=create_status,
    ),
    Route(
        method="GET",
        pattern=f"{_REPOSITORY}/commits/{{ref}}/statuses",
        permission=("statuses", "read"),
        handler=list_statuses,
    ),
]
