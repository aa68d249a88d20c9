"""The one-click set-up of a GitHub App: from a form in the browser to secrets in the vault.

The web process opens an attempt and takes what GitHub's redirect brings; the worker, which alone
talks to GitHub, exchanges it for the App. `state` is what ties the three together: a random text
that only the operator's browser and GitHub have, kept here as a hash.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.model.apps import GithubApp


class SetupState(StrEnum):
    """Where an attempt stands."""

    OPEN = "open"  # the browser was sent to GitHub
    EXCHANGING = "exchanging"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One attempt."""

    key: str  # hash of the state
    state: SetupState
    problem: str = ""  # of one that failed, for the operator


class Setups(Protocol):
    """The attempts; each method is one transaction."""

    def open(self, state: str) -> None:
        """Begin an attempt; older open ones stay usable until their hour is over."""
        ...

    def take(self, state: str, code: str) -> bool:
        """Hand `code` over to the worker; False when `state` is unknown, used or too old."""
        ...

    def find(self, state: str) -> Setup | None:
        """Return the attempt of `state` as it stands."""
        ...


class Exchanges(Protocol):
    """The worker's side."""

    def code(self, key: str) -> str | None:
        """Return the code that is to be exchanged; None when that is done, or was never asked."""
        ...

    def finish(self, key: str, app: GithubApp) -> None:
        """Store the App as this installation's, and the attempt as done; the code is forgotten."""
        ...

    def fail(self, key: str, problem: str) -> None:
        """Store why the attempt failed; the code is forgotten."""
        ...


class Registry(Protocol):
    """Where Apps are made from manifests."""

    def convert(self, code: str) -> GithubApp:
        """Exchange the code of a redirect, which is possible once and for an hour.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: the code is unknown, used or too old.

        """
        ...
