"""What GitHub knows and we ask anew each time: pull requests, and who may do what."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from bot.adapters.github.auth import Access
from bot.adapters.github.clients import PAGE_SIZE
from bot.adapters.github.limits import Retries
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import Login, PullNumber, Repository
from bot.core.model.pulls import Permission, PullRequest
from bot.webhooks.pulls import pull_of
from bot.wire.github import PermissionAnswer, RepositoryAnswer
from bot.wire.github_events import PullRequestPart

Answer = TypeVar("Answer")

# Both are how GitHub says that there is nothing: gone for good, or not there for us.
_NOT_THERE = {404, 410}

MAX_PAGES = 10

_PULL = TypeAdapter(PullRequestPart)
_PULLS = TypeAdapter(list[PullRequestPart])
_PERMISSION = TypeAdapter(PermissionAnswer)

_ROLES = {
    "read": Permission.READ,
    "triage": Permission.TRIAGE,
    "write": Permission.WRITE,
    "maintain": Permission.MAINTAIN,
    "admin": Permission.ADMIN,
}


class Reading:
    """Reads one repository at a time."""

    def __init__(self, access: Access, retries: Retries) -> None:
        """Read as `access`."""
        self._access = access
        self._retries = retries

    def has(self, repository: Repository) -> bool:
        """Tell whether the repository of this name can be read and is the one of that number."""
        path = f"/repos/{repository.name}"
        found = self._asked(
            repository, path, RepositoryAnswer.model_validate, right="metadata: read"
        )
        return found is not None and found.id == repository.id

    def pull(self, repository: Repository, number: PullNumber) -> PullRequest | None:
        """Return a pull request as it stands now; see the port."""
        path = f"/repos/{repository.name}/pulls/{number}"
        found = self._asked(repository, path, _PULL.validate_python, right="pull requests: read")
        return None if found is None else pull_of(found)

    def open_pulls(self, repository: Repository) -> list[PullRequest]:
        """Return the newest thousand of the open pull requests; see the port."""
        found: list[PullRequest] = []
        for page in range(1, MAX_PAGES + 1):
            path = f"/repos/{repository.name}/pulls?state=open&per_page={PAGE_SIZE}&page={page}"
            parts = self._asked(
                repository, path, _PULLS.validate_python, right="pull requests: read"
            )
            found += map(pull_of, parts or ())
            if len(parts or ()) < PAGE_SIZE:
                break
        return found

    def permission(self, repository: Repository, login: Login) -> Permission:
        """Return what somebody may do; see the port.

        `role_name` is the finer word. An organization may define roles of its own, of which
        `permission` tells the level that counts, among admin, write, read and none.
        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        path = f"/repos/{repository.name}/collaborators/{quote(login, safe='')}/permission"
        found = self._asked(repository, path, _PERMISSION.validate_python, right="metadata: read")
        if found is None:
            return Permission.NONE
        level = _ROLES.get(found.role_name) or _ROLES.get(found.permission)
        return Permission.NONE if level is None else level

    def _asked(
        self,
        repository: Repository,
        path: str,
        read: Callable[[object], Answer],
        *,
        right: str,
    ) -> Answer | None:
        """Return the answer of a GET, None where GitHub has nothing."""

        def attempt(_number: int) -> Answer:
            requester = self._access.client(repository).requester
            _, answer = requester.requestJsonAndCheck("GET", path)
            return read(answer)

        try:
            return self._retries.call(
                f"GET {path}",
                attempt,
                right=right,
                log_in_again=lambda: self._access.forget(repository),
            )
        except ForgeRefused as refusal:
            if refusal.status in _NOT_THERE:
                return None
            raise
