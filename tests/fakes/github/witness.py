"""What a test asks a fake GitHub afterwards, or waits for."""

from collections.abc import Callable
from typing import TypeVar

from tests.fakes.github.entities import (
    CheckRun,
    CheckTransition,
    Comment,
    CommitStatus,
    Deployment,
    Dispatch,
    RecordedRequest,
)
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.store import Store

Found = TypeVar("Found")


class Witness:
    """Reads the store; waits on its condition, never by sleeping."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def requests(self) -> list[RecordedRequest]:
        """Return every API request so far, in order of their answers."""
        with self.store.changing():
            return list(self.store.requests)

    @property
    def check_history(self) -> list[CheckTransition]:
        """Return every state that a check run was put into, in order."""
        with self.store.changing():
            return list(self.store.check_history)

    def checks(self, repository: FakeRepository, sha: str) -> list[CheckRun]:
        """Return the check runs of a commit, oldest first."""
        return self.store.checks_of(repository, sha)

    def statuses(self, repository: FakeRepository, sha: str) -> list[CommitStatus]:
        """Return the commit statuses of a commit, oldest first."""
        with self.store.changing():
            return [
                status
                for status in self.store.statuses
                if status.sha == sha and status.repository == repository.full_name
            ]

    def deployments(self, repository: FakeRepository) -> list[Deployment]:
        """Return the repository's deployments, oldest first; the state is in `statuses[-1]`."""
        with self.store.changing():
            return [
                deployment
                for deployment in self.store.deployments.values()
                if deployment.repository == repository.full_name
            ]

    def comments(self, repository: FakeRepository, pull: int) -> list[Comment]:
        """Return the comments of a pull request, oldest first."""
        place = (repository.full_name, pull)
        with self.store.changing():
            found = list(self.store.comments.values())
        return [each for each in found if (each.repository, each.issue) == place]

    def dispatches(self, repository: FakeRepository) -> list[Dispatch]:
        """Return the events that workflows of the repository were sent, in order."""
        with self.store.changing():
            found = list(self.store.dispatches)
        return [each for each in found if each.repository == repository.full_name]

    def take_violations(self) -> list[str]:
        """Return what broke GitHub's rules so far, and forget it."""
        with self.store.changing():
            taken = list(self.store.violations)
            self.store.violations.clear()
        return taken

    def fail_on_violations(self) -> None:
        """Fail if anything broke GitHub's rules since they were last taken."""
        if problems := self.take_violations():
            msg = "\n".join(["GitHub would have refused:", *problems])
            raise AssertionError(msg)

    def wait_for_check(
        self,
        repository: FakeRepository,
        sha: str,
        *,
        name: str | None = None,
        status: str = "completed",
        timeout: float = 10.0,
    ) -> CheckRun:
        """Return the commit's check run as soon as it has `status`."""

        def found() -> CheckRun | None:
            runs = self.store.checks_of(repository, sha)
            wanted = (run for run in runs if run.status == status and name in {None, run.name})
            return next(wanted, None)

        return self.wait_for(found, f"a {status} check on {sha}", timeout=timeout)

    def wait_for_status(
        self, repository: FakeRepository, sha: str, *, state: str, timeout: float = 10.0
    ) -> CommitStatus:
        """Return the commit's status as soon as one with `state` was written."""

        def found() -> CommitStatus | None:
            written = self.statuses(repository, sha)
            return next((status for status in written if status.state == state), None)

        return self.wait_for(found, f"a status {state} on {sha}", timeout=timeout)

    def wait_for(
        self, found: Callable[[], Found | None], wanted: str, *, timeout: float = 10.0
    ) -> Found:
        """Return what `found` returns as soon as it is not None, asked after every change."""
        result = self.store.wait_until(found, timeout)
        if result is None:
            msg = f"waited {timeout} s for {wanted}; {self.story()}"
            raise AssertionError(msg)
        return result

    def story(self) -> str:
        """Return all that the fake has seen, for a test that failed."""
        with self.store.changing():
            lines = [
                "the fake GitHub has seen:",
                *(f"  delivery {d.event} {d.guid} -> {d.status}" for d in self.store.deliveries),
                *(f"  {request.line()}" for request in self.store.requests),
                *(f"  check {t.check} {t}" for t in self.store.check_history),
                *(f"  {status}" for status in self.store.statuses),
                *(f"  VIOLATION {problem}" for problem in self.store.violations),
            ]
        return "\n".join(lines)
