"""What stands on the forge: which of its things are ours, and what they say."""

from dataclasses import dataclass
from typing import Protocol

from bot.core.model.surfaces import Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One thing that we wrote, in its last state."""

    surface: Surface
    subject: str  # what it is about, unique on its surface: an attempt, say
    group: str  # what it belongs to, and goes with: a preview
    ref: str  # the forge's id of it
    said: str  # what it says, as far as that decides whether it must be written again


class Postings(Protocol):
    """The memory of what was written; each method is one transaction.

    It saves requests, and tells what to take back. That nothing is written twice is the forge's
    natural keys' doing: a crash may come between a write and its `put`.
    """

    def of(self, surface: Surface, subject: str) -> Posting | None:
        """Return what was written about `subject`, None before the first time."""
        ...

    def in_group(self, surface: Surface, group: str) -> list[Posting]:
        """Return all that belongs to `group`, in order of their first writing."""
        ...

    def saying(self, surface: Surface, said: str) -> list[Posting]:
        """Return all that says exactly `said`, in order of their first writing."""
        ...

    def put(self, posting: Posting) -> None:
        """Remember `posting` in place of what was remembered of its subject."""
        ...

    def forget(self, surface: Surface, subject: str) -> None:
        """Remember nothing of `subject`; harmless when nothing was."""
        ...
