"""The repositories that we were given: by installations of the App, or one by one."""

from collections.abc import Callable, Iterable, Iterator

import structlog
from pydantic import TypeAdapter

from bot.adapters.github.auth import AppAccess, TokenAccess
from bot.adapters.github.clients import PAGE_SIZE
from bot.adapters.github.limits import Retries
from bot.adapters.github.webhooks import Webhooks
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import Branch, RepoName, Repository, RepositoryId
from bot.wire.github import InstallationRepositoriesAnswer, InstalledAnswer

# 10,000 installations, or repositories of one: more than a list that is walked slowly is good for.
MAX_PAGES = 100

_INSTALLATIONS = TypeAdapter(list[InstalledAnswer])

log = structlog.get_logger()


class AppGrants:
    """What an App is installed on; implements `bot.ports.grants.Grants`.

    https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
    """

    def __init__(self, access: AppAccess, retries: Retries) -> None:
        """Ask as the App, and as each of its installations."""
        self._access = access
        self._retries = retries

    def repositories(self) -> Iterator[Repository]:
        """Yield what the App is installed on, an installation at a time; see the port."""
        for installation in self._installations():
            try:
                yield from self._of(installation)
            except ForgeRefused as refusal:
                log.warning("installation_left_out", problem=str(refusal))

    def _installations(self) -> Iterator[int]:
        for page in range(1, MAX_PAGES + 1):
            asked = {"per_page": str(PAGE_SIZE), "page": str(page)}
            _, answer = self._access.as_app("GET", "/app/installations", None, asked)
            found = _INSTALLATIONS.validate_python(answer)
            yield from (each.id for each in found if each.suspended_at is None)
            if len(found) < PAGE_SIZE:
                return

    def _of(self, installation: int) -> list[Repository]:
        """Return all of one installation, for its token does not live as long as a slow walk."""
        requester = self._access.installed(installation).requester
        found: list[Repository] = []
        for page in range(1, MAX_PAGES + 1):
            asked = {"per_page": str(PAGE_SIZE), "page": str(page)}

            def attempt(
                _number: int, asked: dict[str, str] = asked
            ) -> InstallationRepositoriesAnswer:
                _, answer = requester.requestJsonAndCheck(
                    "GET", "/installation/repositories", parameters=asked
                )
                return InstallationRepositoriesAnswer.model_validate(answer)

            request = f"listing the repositories of installation {installation}"
            listed = self._retries.call(request, attempt, right="metadata: read").repositories
            found += (
                Repository(
                    id=RepositoryId(each.id),
                    name=RepoName(each.full_name),
                    default_branch=Branch(each.default_branch),
                    installation=installation,
                )
                for each in listed
            )
            if len(listed) < PAGE_SIZE:
                break
        return found


class TokenGrants:
    """What was connected by a webhook of its own; implements `bot.ports.grants.Grants`."""

    def __init__(
        self,
        access: TokenAccess,
        retries: Retries,
        connected: Callable[[], Iterable[Repository]],
    ) -> None:
        """Ask for those that are `connected`, of which we keep number and name only."""
        self._webhooks = Webhooks(access, retries)
        self._connected = connected

    def repositories(self) -> Iterator[Repository]:
        """Yield what was connected, as it stands now; see the port."""
        for connected in self._connected():
            try:
                found = self._webhooks.repository(connected.name)
            except ForgeRefused as refusal:
                log.warning("repository_left_out", problem=str(refusal))
                continue
            if found.id == connected.id:  # else another one has the name by now
                yield found
