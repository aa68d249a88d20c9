"""What people do on the fake GitHub besides pushing: forks, pull requests, comments, roles."""

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Any

from tests.fakes.github import pull_requests
from tests.fakes.github.documents import Documents, examples
from tests.fakes.github.entities import CheckRun, Comment
from tests.fakes.github.pulls import FakePull
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.witness import Witness


class Community(Witness, ABC):
    """The hands of authors and maintainers."""

    documents: Documents

    @abstractmethod
    def add_repository(
        self, full_name: str, *, private: bool = False, default_branch: str = "main"
    ) -> FakeRepository:
        """Make an empty repository."""

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

    def comment(self, pull: FakePull, author: str, body: str) -> Comment:
        """Write a comment on a pull request; nobody is told."""
        now = self.store.clock.now()
        comment = Comment(
            id=self.store.number(),
            repository=pull.base.full_name,
            issue=pull.number,
            author=author,
            body=body,
            created_at=now,
            updated_at=now,
        )
        with self.store.changing():
            self.store.comments[comment.id] = comment
        return comment

    def comment_payload(
        self, pull: FakePull, comment: Comment, action: str = "created"
    ) -> dict[str, Any]:
        """Return GitHub's payload for a comment on a pull request."""
        template = deepcopy(examples()["issue_comment"][3])
        address = f"{self.documents.api_url}/repos/{pull.base.full_name}/pulls/{pull.number}"
        issue = template["issue"] | {
            "number": pull.number,
            "title": pull.title,
            "state": pull.state,
            "user": self.documents.user(pull.author),
            "pull_request": {"url": address, "html_url": address, "diff_url": address},
        }
        found = {
            "action": action,
            "issue": issue,
            "comment": self.documents.comment(comment),
            "repository": self.documents.repository(pull.base),
            "sender": self.documents.user(comment.author),
        }
        return found | self._installed(pull.base)

    def button_payload(
        self, repository: FakeRepository, run: CheckRun, button: str | None, sender: str
    ) -> dict[str, Any]:
        """Return GitHub's payload for a pressed button of a check; None: *Re-run*."""
        pressed = {"requested_action": {"identifier": button}} if button else {}
        found = {
            "action": "requested_action" if button else "rerequested",
            "check_run": self.documents.check_run(run),
            "repository": self.documents.repository(repository),
            "sender": self.documents.user(sender),
            **pressed,
        }
        return found | self._installed(repository)

    def _installed(self, repository: FakeRepository) -> dict[str, Any]:
        installation = self.store.installation_of(repository)
        if installation is None:
            return {}
        number = installation.id
        return {"installation": {"id": number, "node_id": f"MDI_{number}"}}

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
