"""GitHub behind the forge port."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.adapters.github.auth import AppAccess, TokenAccess
from bot.adapters.github.checks import CheckRuns
from bot.adapters.github.clients import PUBLIC_API_URL, Clients
from bot.adapters.github.comments import Comments
from bot.adapters.github.deployments import Deployments
from bot.adapters.github.dispatches import Dispatches
from bot.adapters.github.grants import AppGrants, TokenGrants
from bot.adapters.github.hooks import AppHook, RepositoryHooks
from bot.adapters.github.limits import Retries
from bot.adapters.github.reading import Reading
from bot.adapters.github.statuses import CommitStatuses
from bot.core.model.checks import Check
from bot.core.model.commands import Reaction
from bot.core.model.ids import CommentId, Login, PullNumber, Repository
from bot.core.model.pulls import Permission, PullRequest
from bot.core.model.surfaces import Notice, ShownDeployment, StickyComment
from bot.kernel.clock import Clock
from bot.ports.grants import Grants
from bot.ports.hooks import Hooks


class GitHubForge:
    """Implements `bot.ports.forge.Forge`; may be used from any number of threads."""

    def __init__(self, access: AppAccess | TokenAccess, retries: Retries) -> None:
        """Work as `access`: check runs where it may, else commit statuses."""
        self._access = access
        self._retries = retries
        self._checks = CheckRuns(access, retries)
        self._statuses = CommitStatuses(access, retries)
        self._deployments = Deployments(access, retries)
        self._dispatches = Dispatches(access, retries)
        self._reading = Reading(access, retries)
        self._comments = Comments(access, retries)

    def hooks(self, repositories: Callable[[], Iterable[Repository]], url: str) -> Hooks:
        """Return GitHub's side of our webhooks: the App's, or those of `repositories` at `url`."""
        if isinstance(self._access, AppAccess):
            return AppHook(self._access)
        return RepositoryHooks(self._access, self._retries, repositories=repositories, url=url)

    def grants(self, connected: Callable[[], Iterable[Repository]]) -> Grants:
        """Return what we were given: by the App's installations, or all that is `connected`."""
        if isinstance(self._access, AppAccess):
            return AppGrants(self._access, self._retries)
        return TokenGrants(self._access, self._retries, connected)

    def publish(self, check: Check, ref: str | None) -> str:
        """Make `check` stand on its commit; see the port."""
        if self._access.writes_checks:
            return self._checks.publish(check, ref)
        return self._statuses.publish(check)

    def show_deployment(self, shown: ShownDeployment, ref: str | None) -> str | None:
        """Make `shown` stand among the repository's deployments; see the port."""
        return self._deployments.show(shown, ref)

    def remove_environment(
        self, repository: Repository, environment: str, refs: Sequence[str]
    ) -> None:
        """Delete these deployments and their environment; see the port."""
        self._deployments.remove(repository, environment, refs)

    def comment(self, comment: StickyComment, ref: str | None) -> str:
        """Make `comment` stand on its pull request; see the port."""
        return self._comments.publish(comment, ref)

    def react(self, repository: Repository, comment: CommentId, reaction: Reaction) -> None:
        """Let `reaction` of ours stand under a comment; see the port."""
        self._comments.react(repository, comment, reaction)

    def tell(self, notice: Notice) -> None:
        """Send a `repository_dispatch` event; see the port."""
        self._dispatches.tell(notice)

    def git_credential(self, repository: Repository) -> str:
        """Return a password for reading `repository`; see the port."""
        return self._access.git_credential(repository)

    def reaches(self, repository: Repository) -> bool:
        """Tell whether the repository is still given to us; see the port."""
        given = self._access.reaches(repository)
        return self._reading.has(repository) if given is None else given

    def pull(self, repository: Repository, number: PullNumber) -> PullRequest | None:
        """Return a pull request as it stands now; see the port."""
        return self._reading.pull(repository, number)

    def open_pulls(self, repository: Repository) -> list[PullRequest]:
        """Return the pull requests that are open now; see the port."""
        return self._reading.open_pulls(repository)

    def permission(self, repository: Repository, login: Login) -> Permission:
        """Return what somebody may do in the repository now; see the port."""
        return self._reading.permission(repository, login)


def app_forge(
    app_id: int,
    private_key: str,
    *,
    clock: Clock,
    api_url: str = PUBLIC_API_URL,
    permissions: Mapping[str, str] | None = None,
) -> GitHubForge:
    """Return the forge of a GitHub App; `private_key` is the PEM text that GitHub handed out.

    Its tokens get `permissions`, None: all that the App has.

    Raises:
        ConfigurationProblem: the key is none.

    """
    retries = Retries(clock)
    access = AppAccess(
        app_id,
        private_key,
        clients=Clients(api_url),
        retries=retries,
        clock=clock,
        permissions=permissions,
    )
    return GitHubForge(access, retries)


def token_forge(token: str, *, clock: Clock, api_url: str = PUBLIC_API_URL) -> GitHubForge:
    """Return the forge of one token; one that begins with `ghs_` is an App's and writes checks."""
    return GitHubForge(TokenAccess(token, Clients(api_url)), Retries(clock))
