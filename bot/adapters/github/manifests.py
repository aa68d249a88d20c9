"""From the code of GitHub's redirect to the App: the last step of the manifest flow.

https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest
"""

from urllib.parse import quote

from requests import RequestException

from bot.adapters.github.clients import Clients
from bot.adapters.github.limits import Retries
from bot.core.model.apps import GithubApp
from bot.core.model.errors import ForgeRefused
from bot.kernel.clock import Clock
from bot.wire.github import ManifestAnswer


class AppRegistry:
    """Exchanges codes; implements `bot.ports.setups.Registry`."""

    def __init__(self, api_url: str, clock: Clock) -> None:
        """Ask the GitHub at `api_url`."""
        self._clients = Clients(api_url)
        self._retries = Retries(clock)

    def convert(self, code: str) -> GithubApp:
        """Exchange a code; see the port."""
        path = f"/app-manifests/{quote(code, safe='')}/conversions"

        def attempt(_number: int) -> ManifestAnswer:
            requester = self._clients.anonymous().requester
            try:
                _, answer = requester.requestJsonAndCheck("POST", path)
            except RequestException as error:
                # Its words hold the address, and the code in that is as good as the secrets.
                raise RequestException(type(error).__name__) from None
            return ManifestAnswer.model_validate(answer)

        made = self._retries.call(
            "exchanging GitHub's code", attempt, right="a code that is new and not used yet"
        )
        if made.webhook_secret is None:
            raise ForgeRefused(
                "exchanging GitHub's code", status=201, message="the App has no webhook secret"
            )
        return GithubApp(
            id=made.id,
            slug=made.slug,
            html_url=made.html_url,
            private_key=made.pem,
            webhook_secret=made.webhook_secret,
        )
