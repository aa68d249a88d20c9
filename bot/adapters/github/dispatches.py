"""`repository_dispatch` events: they start the workflows of the default branch that ask for them.

https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
"""

from bot.adapters.github import texts
from bot.adapters.github.auth import Access
from bot.adapters.github.limits import Retries
from bot.core.model.surfaces import Notice

WRITE = "contents: write"


class Dispatches:
    """Sends events."""

    def __init__(self, access: Access, retries: Retries) -> None:
        """Send as `access`."""
        self._access = access
        self._retries = retries

    def tell(self, notice: Notice) -> None:
        """Send one; see `bot.ports.forge`."""
        facts = {
            name: None if fact is None else texts.clean(fact)
            for name, fact in notice.facts.items()
        }
        fields = {"event_type": str(notice.news), "client_payload": facts}
        path = f"/repos/{notice.repository.name}/dispatches"

        def attempt(_number: int) -> None:
            client = self._access.client(notice.repository)
            client.requester.requestJsonAndCheck("POST", path, input=fields)

        self._retries.call(
            f"telling {notice.repository.name} of {notice.news}",
            attempt,
            right=WRITE,
            log_in_again=lambda: self._access.forget(notice.repository),
        )
