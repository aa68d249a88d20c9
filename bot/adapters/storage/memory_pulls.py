"""Pull requests in plain dicts: for `previewbot deploy`, which meets none, and tests."""

import threading
from collections import defaultdict

from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import Branch, CommitSha, PullNumber, RepositoryId
from bot.core.model.pulls import Approval, PullRequest


class MemoryPulls:
    """What was told of pull requests until it ends; implements `bot.ports.pulls.Pulls`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pulls: dict[tuple[RepositoryId, PullNumber], PullRequest] = {}
        self._heads: dict[tuple[RepositoryId, CommitSha], set[PullNumber]] = defaultdict(set)
        self._approvals: dict[tuple[RepositoryId, PullNumber], dict[CommitSha, Approval]] = (
            defaultdict(dict)
        )

    def record(self, repository: RepositoryId, pull: PullRequest) -> None:
        """Keep `pull` in place of what was known of it, and that its head was its own."""
        with self._lock:
            self._pulls[repository, pull.number] = pull
            self._heads[repository, pull.head].add(pull.number)
            approved = self._approvals[repository, pull.number]
            for commit in approved.keys() - {pull.head}:
                del approved[commit]

    def get(self, repository: RepositoryId, number: PullNumber) -> PullRequest | None:
        """Return a pull request as it was last recorded."""
        with self._lock:
            return self._pulls.get((repository, number))

    def open_from(self, repository: RepositoryId, branch: Branch) -> list[PullRequest]:
        """Return the open ones whose code is a branch of the repository itself, oldest first."""
        with self._lock:
            return [
                pull
                for (owner, _), pull in sorted(self._pulls.items(), key=lambda item: item[0])
                if owner == pull.head_repository == repository
                and pull.head_branch == branch
                and pull.is_open
            ]

    def open_in(self, repository: RepositoryId) -> list[PullRequest]:
        """Return the open ones, wherever their code lies, oldest first."""
        with self._lock:
            return [
                pull
                for (owner, _), pull in sorted(self._pulls.items(), key=lambda item: item[0])
                if owner == repository and pull.is_open
            ]

    def with_head(self, repository: RepositoryId, commit: CommitSha) -> list[PullRequest]:
        """Return those whose head is or was `commit`, oldest first."""
        with self._lock:
            numbers = self._heads.get((repository, commit), set())
            return [self._pulls[repository, number] for number in sorted(numbers)]

    def approve(self, repository: RepositoryId, number: PullNumber, approval: Approval) -> None:
        """Keep that a commit was approved; the first approval of a commit stands.

        Raises:
            RecordNotFound: no such pull request was recorded.

        """
        with self._lock:
            if (repository, number) not in self._pulls:
                raise RecordNotFound("pull request", f"{repository}#{number}")
            self._approvals[repository, number].setdefault(approval.commit, approval)

    def approval(
        self, repository: RepositoryId, number: PullNumber, commit: CommitSha
    ) -> Approval | None:
        """Return who approved exactly this commit, None when nobody did or it is void."""
        with self._lock:
            return self._approvals[repository, number].get(commit)
