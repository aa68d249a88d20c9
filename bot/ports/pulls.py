"""The pull requests that we were told of: which of them show a branch, and what a commit is of.

GitHub's checks name no pull request when the commit lies in a fork, so the way back is ours.
"""

from typing import Protocol

from bot.core.model.ids import Branch, CommitSha, PullNumber, RepositoryId
from bot.core.model.pulls import Approval, PullRequest


class Pulls(Protocol):
    """A table of pull requests; every method is one transaction."""

    def record(self, repository: RepositoryId, pull: PullRequest) -> None:
        """Keep `pull` in place of what was known of it, and that its head was its own.

        Approvals of other commits than its head are void from now on.
        """
        ...

    def get(self, repository: RepositoryId, number: PullNumber) -> PullRequest | None:
        """Return a pull request as it was last recorded."""
        ...

    def open_from(self, repository: RepositoryId, branch: Branch) -> list[PullRequest]:
        """Return the open ones whose code is a branch of the repository itself, oldest first."""
        ...

    def open_in(self, repository: RepositoryId) -> list[PullRequest]:
        """Return the open ones, wherever their code lies, oldest first."""
        ...

    def with_head(self, repository: RepositoryId, commit: CommitSha) -> list[PullRequest]:
        """Return those whose head is or was `commit`, oldest first."""
        ...

    def approve(self, repository: RepositoryId, number: PullNumber, approval: Approval) -> None:
        """Keep that a commit was approved; the first approval of a commit stands.

        Raises:
            RecordNotFound: no such pull request was recorded.

        """
        ...

    def approval(
        self, repository: RepositoryId, number: PullNumber, commit: CommitSha
    ) -> Approval | None:
        """Return who approved exactly this commit, None when nobody did or it is void."""
        ...
