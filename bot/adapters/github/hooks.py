"""GitHub's lists of what it sent: for an App's hook, or for the hooks of repositories.

https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-a-github-app-webhook
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bot.adapters.github.auth import AppAccess, TokenAccess
from bot.adapters.github.clients import PAGE_SIZE
from bot.adapters.github.limits import Retries
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import DeliveryGuid, HookId, Repository
from bot.ports.hooks import Attempt
from bot.wire.github import HookAnswer, HookDeliveryAnswer

# 20,000 deliveries: more than three days of a very busy installation.
MAX_PAGES = 200

# GitHub's own script for this looks at the word too: what failed to connect or timed out has no
# status code that a filter by codes would find.
ARRIVED = "OK"

READ_HOOKS = "webhooks: read and write, by an administrator of the repository"

_DELIVERIES = TypeAdapter(list[HookDeliveryAnswer])
_HOOKS = TypeAdapter(list[HookAnswer])
_NEXT = re.compile(r'[?&]cursor=([^&>]+)[^>]*>; *rel="next"')

# Headers and document of an answer.
Answer = tuple[Mapping[str, str], Any]


class AppHook:
    """The one webhook of a GitHub App."""

    def __init__(self, access: AppAccess) -> None:
        """Ask as the App itself."""
        self._access = access

    def attempts(self, since: datetime) -> Iterator[Attempt]:
        """Return what was sent; see `bot.ports.hooks`."""
        return _listed(lambda asked: self._get("/app/hook/deliveries", asked), "app", None, since)

    def repeat(self, attempt: Attempt) -> None:
        """Have one sent once more; see `bot.ports.hooks`."""
        number = int(attempt.ref.removeprefix("app/"))
        self._access.as_app("POST", f"/app/hook/deliveries/{number}/attempts", {})

    def _get(self, path: str, asked: Mapping[str, str]) -> Answer:
        return self._access.as_app("GET", path, None, asked)


class RepositoryHooks:
    """The webhooks of repositories that lead to us; an administrator's token may list them."""

    def __init__(
        self,
        access: TokenAccess,
        retries: Retries,
        *,
        repositories: Callable[[], Iterable[Repository]],
        url: str,
    ) -> None:
        """Look at the hooks of `repositories` whose address is `url`."""
        self._access = access
        self._retries = retries
        self._repositories = repositories
        self._url = url

    def attempts(self, since: datetime) -> Iterator[Attempt]:
        """Return what was sent; see `bot.ports.hooks`.

        A repository whose hooks may not be listed is left out unless it is the only one.
        """
        repositories = list(self._repositories())
        for repository in repositories:
            try:
                yield from self._of(repository, since)
            except ForgeRefused:
                if len(repositories) == 1:
                    raise

    def repeat(self, attempt: Attempt) -> None:
        """Have one sent once more; see `bot.ports.hooks`."""
        path, _, number = attempt.ref.rpartition("/")
        self._call("POST", f"{path}/deliveries/{int(number)}/attempts", {}, {})

    def _of(self, repository: Repository, since: datetime) -> Iterator[Attempt]:
        base = f"/repos/{repository.name}/hooks"
        _, answer = self._call("GET", base, None, {"per_page": str(PAGE_SIZE)})
        for hook in _HOOKS.validate_python(answer):
            if hook.config.url != self._url:
                continue
            path = f"{base}/{hook.id}"
            yield from _listed(
                lambda asked, path=path: self._call("GET", f"{path}/deliveries", None, asked),  # type: ignore[misc]  # the default binds the loop's variable
                path,
                HookId(str(hook.id)),
                since,
            )

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, asked: Mapping[str, str]
    ) -> Answer:
        def attempt(_number: int) -> Answer:
            requester = self._access.any_client().requester
            return requester.requestJsonAndCheck(
                method, path, parameters=dict(asked), input=None if body is None else dict(body)
            )

        return self._retries.call(f"{method} {path}", attempt, right=READ_HOOKS)


def _listed(
    get: Callable[[Mapping[str, str]], Answer],
    place: str,
    hook: HookId | None,
    since: datetime,
) -> Iterator[Attempt]:
    """Yield attempts, newest first as GitHub lists them, page by page until `since`."""
    asked = {"per_page": str(PAGE_SIZE)}
    for _ in itertools.repeat(None, MAX_PAGES):
        headers, answer = get(asked)
        for sent in _DELIVERIES.validate_python(answer):
            if sent.delivered_at < since:
                return
            yield Attempt(
                ref=f"{place}/{sent.id}",
                hook=hook,
                guid=DeliveryGuid(sent.guid),
                arrived=sent.status == ARRIVED,
                outcome=sent.status,
                at=sent.delivered_at,
            )
        following = _NEXT.search(headers.get("link", ""))
        if following is None:
            return
        asked["cursor"] = following[1]
