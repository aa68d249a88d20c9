"""Connections to GitHub: one `Github` per login and thread, with PyGithub's own waiting off.

PyGithub's objects are not safe to share between threads
(https://github.com/PyGithub/PyGithub/issues/1257), and its throttle and retries would sleep where
nobody can see it (`limits` does that instead).
"""

import logging
import threading
from collections.abc import Hashable

from github import Github
from github.Auth import AppAuthToken, Auth, Token

from bot import __version__

PUBLIC_API_URL = "https://api.github.com"

# "2022-11-28" is what every release of GitHub Enterprise Server that is still supported speaks.
API_VERSION = "2022-11-28"

# GitHub ends a request of its own after 10 seconds; two for the line.
TIMEOUT_S = 12

PAGE_SIZE = 100  # the most that GitHub gives

# Logins whose connection a thread keeps open; there is one for each repository.
MAX_KEPT = 16


class Clients:
    """Makes and keeps the clients of each thread."""

    def __init__(self, api_url: str) -> None:
        """Speak to `api_url`; GitHub Enterprise Server's is `https://HOST/api/v3`."""
        self._api_url = api_url.rstrip("/")
        self._kept = threading.local()
        # At DEBUG it writes answers whole, and one of them is a new token.
        logging.getLogger("github.Requester").setLevel(logging.WARNING)

    def with_token(self, login: Hashable, token: str) -> Github:
        """Return this thread's client that acts as `login`, renewed when `token` changed."""
        return self._client(login, token, Token(token))

    def with_jwt(self, login: Hashable, jwt: str) -> Github:
        """Return this thread's client that acts as an App itself."""
        return self._client(login, jwt, AppAuthToken(jwt))

    def anonymous(self) -> Github:
        """Return this thread's client that acts as nobody."""
        return self._client("nobody", "", None)

    def _client(self, login: Hashable, secret: str, auth: Auth | None) -> Github:
        kept: dict[Hashable, tuple[str, Github]] = self._kept.__dict__.setdefault("clients", {})
        if (found := kept.pop(login, None)) is not None:
            if found[0] == secret:
                kept[login] = found  # to the end: the least used comes first
                return found[1]
            found[1].close()
        if len(kept) >= MAX_KEPT:
            kept.pop(next(iter(kept)))[1].close()
        client = Github(
            auth=auth,
            base_url=self._api_url,
            timeout=TIMEOUT_S,
            user_agent=f"previewbot/{__version__}",
            per_page=PAGE_SIZE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,  # a handle costs no request
            api_version=API_VERSION,
        )
        kept[login] = (secret, client)
        return client
