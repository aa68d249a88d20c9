"""What the forge has sent to our webhook, whether or not it arrived."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.model.ids import DeliveryGuid, HookId


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of the forge to bring us a delivery; several have the same hook and GUID."""

    ref: str  # the forge's name of the attempt
    hook: HookId | None  # as a delivery names it; None: the App's, whose number GitHub keeps back
    guid: DeliveryGuid
    arrived: bool  # we answered that we have it
    outcome: str  # in the forge's words
    at: datetime


class Hooks(Protocol):
    """The forge's side of our webhooks."""

    def attempts(self, since: datetime) -> Iterable[Attempt]:
        """Return the attempts from `since` on, as far back as the forge remembers.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: they may not be listed; the message says which right is missing.

        """
        ...

    def repeat(self, attempt: Attempt) -> None:
        """Ask the forge to send the delivery of `attempt` once more.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not, or has forgotten it.

        """
        ...
