"""Checks of the local forge, and what was written on the forge, in plain dicts."""

from bot.core.model.checks import Check
from bot.core.model.ids import DeploymentId
from bot.core.model.surfaces import Surface
from bot.ports.postings import Posting


class MemoryCheckShelf:
    """Where the local forge puts its checks until the process ends."""

    def __init__(self) -> None:
        self._checks: dict[DeploymentId, Check] = {}

    def put(self, check: Check) -> str:
        """Store `check` in place of an earlier state of it and return its id."""
        self._checks[check.deployment] = check
        return check.deployment

    def of(self, deployment: DeploymentId) -> Check | None:
        """Return the check of an attempt, or None before its first."""
        return self._checks.get(deployment)


class MemoryPostings:
    """What stands on the forge; implements `bot.ports.postings.Postings`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Surface, str], Posting] = {}

    def of(self, surface: Surface, subject: str) -> Posting | None:
        """Return what was written about `subject`, None before the first time."""
        return self._kept.get((surface, subject))

    def in_group(self, surface: Surface, group: str) -> list[Posting]:
        """Return all that belongs to `group`, in order of their first writing."""
        found = list(self._kept.values())
        return [each for each in found if (each.surface, each.group) == (surface, group)]

    def saying(self, surface: Surface, said: str) -> list[Posting]:
        """Return all that says exactly `said`, in order of their first writing."""
        found = list(self._kept.values())
        return [each for each in found if (each.surface, each.said) == (surface, said)]

    def put(self, posting: Posting) -> None:
        """Remember `posting` in place of what was remembered of its subject."""
        self._kept[posting.surface, posting.subject] = posting

    def forget(self, surface: Surface, subject: str) -> None:
        """Remember nothing of `subject`; harmless when nothing was."""
        self._kept.pop((surface, subject), None)
