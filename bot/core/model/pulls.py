"""Pull requests, and what people may do in a repository."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from bot.core.model.ids import Branch, CommitSha, Login, PullNumber, Repository, RepositoryId
from bot.core.model.lines import BranchLine, PullLine


class PullState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as the forge described it at some moment."""

    number: PullNumber
    state: PullState
    author: Login
    author_is_bot: bool
    head: CommitSha
    head_branch: Branch  # its name where it lies, which may be a fork
    head_repository: RepositoryId | None  # None: the fork is gone
    base_branch: Branch
    draft: bool = False
    labels: tuple[str, ...] = ()

    def is_from_fork(self, repository: Repository) -> bool:
        """Tell whether its code lies outside `repository`, the one that it wants to get into."""
        return self.head_repository != repository.id

    def line(self, repository: Repository) -> BranchLine | PullLine:
        """Return what its preview follows."""
        if self.is_from_fork(repository):
            return PullLine(self.number)
        return BranchLine(self.head_branch)

    @property
    def is_open(self) -> bool:
        """Tell whether it still waits to be merged."""
        return self.state is PullState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's word that one commit of a stranger may run here; good for no other."""

    commit: CommitSha
    by: Login
    at: datetime


class Permission(IntEnum):
    """What somebody may do in a repository; each includes those before it.

    https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization
    """

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody who asks for something, and what the forge lets them do now."""

    login: Login
    permission: Permission
