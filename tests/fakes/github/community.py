"""What people do on the fake GitHub besides pushing: forks, pull requests, comments, roles."""

from typing import Any

from tests.fakes.github import pull_requests
from tests.fakes.github.documents import Documents
from tests.fakes.github.pulls import FakePull
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.witness import Witness


class Community(Witness):
    """The hands of authors and maintainers."""

    documents: Documents

    def add_repository(
        self, full_name: str, *, private: bool = False, default_branch: str = "main"
    ) -> FakeRepository:
        """Make an empty repository."""
        raise NotImplementedError

    def give_role(self, repository: FakeRepository, login: str, role: str) -> None:
        """Make `login` a collaborator: read, triage, write, maintain or admin."""
        with self.store.changing():
            self.store.collaborators[repository.full_name, login] = role

    def fork(self, repository: FakeRepository, owner: str) -> FakeRepository:
        """Copy a repository to `owner`; no App is installed on the copy."""
        copy = self.add_repository(
            f"{owner}/{repository.name}", default_branch=repository.default_branch
        )
        copy.git("fetch", "--quiet", str(repository.path), "+refs/heads/*:refs/heads/*")
        for app in tuple(self.store.apps):
            self.store.uninstall(app, copy)
        return copy

    def open_pull(
        self,
        base: FakeRepository,
        branch: str,
        *,
        fork: FakeRepository | None = None,
        author: str = "octocat",
        into: str = "main",
    ) -> FakePull:
        """Open a pull request from `branch` of `fork`, or of the repository itself."""
        with self.store.changing():
            number = 1 + sum(owner == base.full_name for owner, _ in self.store.pulls)
            pull = FakePull(
                number=number,
                base=base,
                head_repository=fork or base,
                head_branch=branch,
                author=author,
                base_branch=into,
            )
            pull.refresh()
            self.store.pulls[base.full_name, number] = pull
        return pull

    def open_pull_numbered(self, number: int, base: FakeRepository, branch: str) -> FakePull:
        """Open a pull request with a number of the test's choice."""
        pull = self.open_pull(base, branch)
        with self.store.changing():
            del self.store.pulls[base.full_name, pull.number]
            pull.number = number
            pull.refresh()
            self.store.pulls[base.full_name, number] = pull
        return pull

    def close_pull(self, pull: FakePull, *, merged: bool = False) -> None:
        """Close a pull request; its ref stays."""
        with self.store.changing():
            pull.refresh()
            pull.state, pull.merged = "closed", merged

    def reopen_pull(self, pull: FakePull) -> None:
        """Open a closed pull request again."""
        with self.store.changing():
            pull.state = "open"
            pull.refresh()

    def pull_payload(
        self, pull: FakePull, action: str, *, sender: str | None = None, **extra: object
    ) -> dict[str, Any]:
        """Return GitHub's payload for what happened to a pull request."""
        return pull_requests.payload(
            self.documents,
            pull,
            action,
            sender=sender or pull.author,
            installation=self.store.installation_of(pull.base),
            extra=extra,
        )
