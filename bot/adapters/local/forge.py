"""`LocalForge`: checks without GitHub; our store is where they stand."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.model.checks import Check
from bot.core.model.commands import Reaction
from bot.core.model.ids import CommentId, DeploymentId, Login, PullNumber, Repository
from bot.core.model.pulls import Permission, PullRequest
from bot.core.model.surfaces import Notice, ShownDeployment, StickyComment


class CheckShelf(Protocol):
    """Where checks are kept; the storage adapter implements it, and bootstrap hands it in."""

    def put(self, check: Check) -> str:
        """Keep `check` in place of its deployment's earlier one; return the place's id."""
        ...

    def of(self, deployment: DeploymentId) -> Check | None:
        """Return the check of an attempt as it stands, None before its first."""
        ...


class LocalForge:
    """The forge of `demo` and of `up` without GitHub; it has neither pull requests nor people."""

    def __init__(self, checks: CheckShelf) -> None:
        """Keep checks on this shelf."""
        self._checks = checks

    def publish(self, check: Check, ref: str | None) -> str:  # noqa: ARG002 - the key finds it
        """Keep `check`; the same deployment's is replaced, so a repeated call makes no second."""
        return self._checks.put(check)

    def show_deployment(self, shown: ShownDeployment, ref: str | None) -> None:
        """Do nothing: our own pages are the only list of deployments here."""

    def remove_environment(
        self, repository: Repository, environment: str, refs: Sequence[str]
    ) -> None:
        """Do nothing: there are no environments."""

    def comment(self, comment: StickyComment, ref: str | None) -> str:  # noqa: ARG002 - the port's
        """Do nothing: there are no pull requests here."""
        return ""

    def tell(self, notice: Notice) -> None:
        """Do nothing: there are no workflows."""

    def git_credential(self, repository: Repository) -> str | None:  # noqa: ARG002 - the port's
        """Return None: local repositories are read from the disk."""
        return None

    def pull(self, repository: Repository, number: PullNumber) -> PullRequest | None:  # noqa: ARG002 - the port's
        """Return None: there are branches only."""
        return None

    def open_pulls(self, repository: Repository) -> list[PullRequest]:  # noqa: ARG002 - the port's
        """Return none: there are no pull requests here."""
        return []

    def permission(self, repository: Repository, login: Login) -> Permission:  # noqa: ARG002 - the port's
        """Return that nobody is known here: who may push may do so by the file system."""
        return Permission.NONE

    def reaches(self, repository: Repository) -> bool:  # noqa: ARG002 - the port's
        """Return True: nobody takes a local repository away by a delivery."""
        return True

    def react(self, repository: Repository, comment: CommentId, reaction: Reaction) -> None:
        """Do nothing: there are no comments."""
