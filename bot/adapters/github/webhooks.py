"""Webhooks of repositories, made or renewed by a token whose owner administers the repository."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from bot.adapters.github.auth import TokenAccess
from bot.adapters.github.clients import PAGE_SIZE
from bot.adapters.github.limits import Retries
from bot.core.model.ids import Branch, RepoName, Repository, RepositoryId
from bot.wire.github import HookAnswer, RepositoryAnswer

READ = "a token that may read the repository"
ADMINISTER = "webhooks: read and write, by an administrator of the repository"

_HOOKS = TypeAdapter(list[HookAnswer])


class Webhooks:
    """Connects repositories by webhooks of their own."""

    def __init__(self, access: TokenAccess, retries: Retries) -> None:
        """Work as `access`."""
        self._access = access
        self._retries = retries

    def repository(self, name: RepoName) -> Repository:
        """Return the repository of this name.

        Raises:
            ForgeRefused: there is none, or the token may not see it.
            ForgeUnavailable: try again later.

        """

        def attempt(_number: int) -> Repository:
            _, answer = self._requester().requestJsonAndCheck("GET", f"/repos/{name}")
            found = RepositoryAnswer.model_validate(answer)
            return Repository(
                id=RepositoryId(found.id),
                name=RepoName(found.full_name),
                default_branch=Branch(found.default_branch),
            )

        return self._retries.call(f"GET /repos/{name}", attempt, right=READ)

    def connect(self, name: RepoName, url: str, secret: str, events: Sequence[str]) -> bool:
        """Make the webhook that leads to `url`, or give the one there is this secret and events.

        Return whether it is new.

        Raises:
            ForgeRefused: the token may not administer webhooks.
            ForgeUnavailable: try again later.

        """
        base = f"/repos/{name}/hooks"
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        fields: dict[str, Any] = {"active": True, "events": list(events), "config": config}

        def attempt(_number: int) -> bool:
            # Looked up each time: one that was made although its answer was lost is renewed.
            requester = self._requester()
            asked = {"per_page": str(PAGE_SIZE)}
            _, answer = requester.requestJsonAndCheck("GET", base, parameters=asked)
            for hook in _HOOKS.validate_python(answer):
                if hook.config.url == url:
                    requester.requestJsonAndCheck("PATCH", f"{base}/{hook.id}", input=fields)
                    return False
            requester.requestJsonAndCheck("POST", base, input={"name": "web", **fields})
            return True

        return self._retries.call(f"connecting {name}", attempt, right=ADMINISTER)

    def _requester(self) -> Any:  # noqa: ANN401 - PyGithub's, which its stubs do not export
        return self._access.any_client().requester
