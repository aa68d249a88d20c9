"""Commit statuses, for tokens that are no App's and so may not write checks.

A status is never changed, only followed by another of the same context, and the newest counts. So
a repetition is harmless; it is avoided because GitHub keeps at most 1000 per commit and context.
"""

from typing import assert_never

from github import Github
from pydantic import TypeAdapter

from bot.adapters.github import texts
from bot.adapters.github.auth import Access
from bot.adapters.github.limits import Retries
from bot.core.model.checks import Check, Conclusion
from bot.wire.github import StatusAnswer

_STATUSES = TypeAdapter(list[StatusAnswer])


class CommitStatuses:
    """Writes commit statuses."""

    def __init__(self, access: Access, retries: Retries) -> None:
        """Write as `access`."""
        self._access = access
        self._retries = retries

    def publish(self, check: Check) -> str:
        """Say what `check` says, as far as 140 characters go, and return the status's id."""
        fields = {
            "state": _state(check.conclusion),
            "context": texts.clean(check.name),
            "description": texts.fitting(check.title, texts.MAX_DESCRIPTION),
            "target_url": check.details_url,
        }
        path = f"/repos/{check.repository.name}/statuses/{check.head}"

        def attempt(number: int) -> str:
            client = self._access.client(check.repository)
            if number > 1 and (written := _newest(client, check, fields["context"])) is not None:
                stands = written.model_dump(include=set(fields)) == fields
                if stands:
                    return str(written.id)
            _, answer = client.requester.requestJsonAndCheck("POST", path, input=fields)
            return str(StatusAnswer.model_validate(answer).id)

        return self._retries.call(
            f"writing the status of {check.repository.name}@{check.head[:12]}",
            attempt,
            right="commit statuses: write",
        )


def _newest(client: Github, check: Check, context: str | None) -> StatusAnswer | None:
    """Return the newest status of the context; GitHub lists the newest first."""
    path = f"/repos/{check.repository.name}/commits/{check.head}/statuses"
    _, answer = client.requester.requestJsonAndCheck("GET", path, parameters={"per_page": "100"})
    for status in _STATUSES.validate_python(answer):
        if status.context == context:
            return status
    return None


def _state(conclusion: Conclusion | None) -> str:
    """Return one of the four words of https://docs.github.com/en/rest/commits/statuses."""
    match conclusion:
        case None | Conclusion.ACTION_REQUIRED:
            return "pending"  # the status has no word for "somebody must approve"
        case Conclusion.SUCCESS | Conclusion.NEUTRAL | Conclusion.SKIPPED:
            return "success"
        case Conclusion.FAILURE | Conclusion.TIMED_OUT:
            return "failure"
        case Conclusion.CANCELLED:
            return "error"
        case _:
            assert_never(conclusion)
