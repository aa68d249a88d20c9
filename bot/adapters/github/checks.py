"""Check runs: one per deployment, whatever is repeated.

The deployment's id is the run's `external_id`. GitHub does not keep that unique, so it is looked
up before a run is made: when no id is known, and before a create is sent again.
"""

from collections.abc import Sequence
from typing import Any

from github.CheckRun import CheckRun
from github.Repository import Repository as GithubRepository

from bot.adapters.github import texts
from bot.adapters.github.auth import Access
from bot.adapters.github.limits import Retries
from bot.core.model.checks import Button, Check, CheckStatus
from bot.core.model.outcomes import Annotation

# "The Checks API limits the number of annotations to a maximum of 50 per API request"; every
# update appends. https://docs.github.com/en/rest/checks/runs
ANNOTATIONS_PER_REQUEST = 50

# Ten requests. Without a bound a broken tool could keep a worker busy for long, and nobody reads
# so many.
MAX_ANNOTATIONS = 500

WRITE = "checks: write"

# GitHub's limits: 3 buttons, 20 characters of label and identifier, 40 of description.
# https://docs.github.com/en/rest/checks/runs#create-a-check-run--parameters
MAX_BUTTONS = 3
_BUTTONS = {
    Button.APPROVE: ("Approve", "Deploy this commit of a fork"),
    Button.REDEPLOY: ("Redeploy", "Deploy this commit once more"),
    Button.DESTROY: ("Destroy", "Remove the preview and its URLs"),
    Button.RETRY: ("Retry", "Try this commit again"),
    Button.ROLLBACK: ("Roll back", "Serve what production served before"),
}

# What travels to GitHub as JSON.
Fields = dict[str, Any]


class CheckRuns:
    """Writes check runs; needs an App's token."""

    def __init__(self, access: Access, retries: Retries) -> None:
        """Write as `access`."""
        self._access = access
        self._retries = retries

    def publish(self, check: Check, ref: str | None) -> str:
        """Make `check` stand on its commit; see `bot.ports.forge`."""
        notes = [_annotation(note) for note in check.annotations[:MAX_ANNOTATIONS]]
        if ref is None:
            number, stands = self._found_or_created(check, notes)
        else:
            number, stands = int(ref), False
        if not stands:
            self._update(check, number, notes)
        return str(number)

    def _found_or_created(self, check: Check, notes: Sequence[Fields]) -> tuple[int, bool]:
        """Return the run's id, and whether it already says all that `check` says."""

        def attempt(_number: int) -> tuple[int, bool]:
            repository = self._repository(check)
            if (found := self._found(repository, check)) is not None:
                return found.id, False
            whole = len(notes) <= ANNOTATIONS_PER_REQUEST
            state = _state(check, notes) if whole else _unfinished(check, [])
            run = repository.create_check_run(
                name=check.name, head_sha=check.head, external_id=check.deployment, **state
            )
            return run.id, whole

        return self._retries.call(
            f"creating the check of {check.repository.name}@{check.head[:12]}",
            attempt,
            right=WRITE,
            log_in_again=lambda: self._access.forget(check.repository),
        )

    def _found(self, repository: GithubRepository, check: Check) -> CheckRun | None:
        """Return our run for this deployment; "all", as "latest" hides older ones of the name."""
        commit = repository.get_commit(check.head)
        for run in commit.get_check_runs(check_name=check.name, filter="all"):
            ours = self._access.app_id is None or run.app.id == self._access.app_id
            if ours and run.external_id == check.deployment:
                return run
        return None

    def _update(self, check: Check, number: int, notes: Sequence[Fields]) -> None:
        """Bring the run to what `check` says, its end last.

        Annotations can only be appended, so those that stand already are counted first: a request
        whose answer was lost may have brought them.
        """

        def attempt(_number: int) -> None:
            run = self._repository(check).get_check_run(number)
            missing = notes[run.output.annotations_count :] if notes else []
            while len(missing) > ANNOTATIONS_PER_REQUEST:
                run.edit(**_unfinished(check, missing[:ANNOTATIONS_PER_REQUEST]))
                missing = missing[ANNOTATIONS_PER_REQUEST:]
            run.edit(**_state(check, missing))

        self._retries.call(
            f"updating check run {number} of {check.repository.name}@{check.head[:12]}",
            attempt,
            right=WRITE,
            log_in_again=lambda: self._access.forget(check.repository),
        )

    def _repository(self, check: Check) -> GithubRepository:
        return self._access.client(check.repository).get_repo(check.repository.name)


def _state(check: Check, notes: Sequence[Fields]) -> Fields:
    """Return all fields of `check` that may change, with these annotations added."""
    output = {
        "title": texts.fitting(check.title or check.name, texts.MAX_TITLE),
        "summary": texts.fitting(check.summary, texts.MAX_SUMMARY),
        "annotations": list(notes),
    }
    fields: Fields = {
        "status": str(check.status),
        "output": output,
        # Always: what is left out stays as an earlier state of the run had it.
        "actions": [_button(button) for button in check.buttons[:MAX_BUTTONS]],
    }
    if check.conclusion is not None:
        fields["conclusion"] = str(check.conclusion)
    if check.details_url is not None:
        fields["details_url"] = check.details_url
    return fields


def _unfinished(check: Check, notes: Sequence[Fields]) -> Fields:
    """Return the same for a run with more annotations to come."""
    fields = _state(check, notes) | {"status": str(CheckStatus.IN_PROGRESS)}
    fields.pop("conclusion", None)
    return fields


def _button(button: Button) -> Fields:
    label, description = _BUTTONS[button]
    return {"label": label, "description": description, "identifier": str(button)}


def _annotation(note: Annotation) -> Fields:
    line = max(note.line, 1)
    fields: Fields = {
        "path": texts.clean(note.path),
        "start_line": line,
        "end_line": line,
        "annotation_level": str(note.severity),
        "message": texts.fitting_bytes(note.message, texts.MAX_MESSAGE_BYTES) or "(no message)",
    }
    if note.column is not None and note.column > 0:
        fields |= {"start_column": note.column, "end_column": note.column}
    return fields
