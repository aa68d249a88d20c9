"""Where commits get their checks, previews show, and people and pull requests are known."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.model.checks import Check
from bot.core.model.commands import Reaction
from bot.core.model.ids import CommentId, Login, PullNumber, Repository
from bot.core.model.pulls import Permission, PullRequest
from bot.core.model.surfaces import Notice, ShownDeployment, StickyComment


class Forge(Protocol):
    """A place that shows the state of commits and previews, and knows who may do what."""

    def publish(self, check: Check, ref: str | None) -> str:
        """Make `check` stand on its commit and return the forge's id of it.

        `ref` is what an earlier call returned. Without one the forge first looks for a check with
        the same natural key, so that a call which is repeated after a crash makes no second one.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not be taken; the message says which right or limit.

        """
        ...

    def show_deployment(self, shown: ShownDeployment, ref: str | None) -> str | None:
        """Make `shown` stand among the forge's deployments and return the forge's id of it.

        `ref` is what an earlier call returned. Without one the forge first looks for a deployment
        with the same natural key. One that is inactive is not made, only found: then the answer
        is None if it never was there, as it is on a forge without deployments.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not be taken; the message says which right or limit.

        """
        ...

    def remove_environment(
        self, repository: Repository, environment: str, refs: Sequence[str]
    ) -> None:
        """Delete these deployments and the environment they are filed under.

        Harmless when repeated. None of them may be active any more.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it may not be deleted by us; the message says which right is missing.

        """
        ...

    def comment(self, comment: StickyComment, ref: str | None) -> str:
        """Make `comment` stand on its pull request and return the forge's id of it.

        `ref` is what an earlier call returned. Without one, or when somebody has deleted it, the
        forge first looks for a comment of ours that begins with the marker; those of others that
        do are left alone.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not be taken; the message says which right or limit.

        """
        ...

    def tell(self, notice: Notice) -> None:
        """Tell the repository's workflows.

        The one thing without a natural key: nobody can ask whether it was told before, so after a
        crash it may be told again.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not be taken; the message says which right is missing.

        """
        ...

    def git_credential(self, repository: Repository) -> str | None:
        """Return a password for reading `repository` over HTTPS, good for an hour; None for none.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: the repository is not ours to read.

        """
        ...

    def pull(self, repository: Repository, number: PullNumber) -> PullRequest | None:
        """Return a pull request as it stands now; None when there is none, or no more.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: pull requests may not be read; the message says which right is missing.

        """
        ...

    def open_pulls(self, repository: Repository) -> list[PullRequest]:
        """Return the pull requests that are open now, in any order.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: they may not be read; the message says which right is missing.

        """
        ...

    def permission(self, repository: Repository, login: Login) -> Permission:
        """Return what somebody may do in the repository now, asked anew.

        Never what an event says of them: GitHub calls strangers contributors, and owners none.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it may not be asked.

        """
        ...

    def reaches(self, repository: Repository) -> bool:
        """Tell whether the repository still exists and is still given to us.

        By its number: another one may have its name by now. That the public may read it is not
        enough.

        Raises:
            ForgeUnavailable: try again later.

        """
        ...

    def react(self, repository: Repository, comment: CommentId, reaction: Reaction) -> None:
        """Let `reaction` of ours stand under a comment; harmless when repeated.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not be taken, for the comment is gone, say.

        """
        ...
