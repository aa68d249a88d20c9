"""What becomes of revisions that nobody visits: a pure choice.

"Revisions that have not received traffic for more than 30 days are now automatically disabled,
and deleting after a further 7 days of inactivity. Disabled revisions can be re-enabled before
deletion" (https://docs.deno.com/deploy/changelog/). Which are exempt is not published: here those
that answer on any host but the preview address that names them, and deployments of v1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.subhosting.config import RetentionLimits


class Fate(StrEnum):
    """What is to be done with a revision."""

    DISABLE = "disable"
    DELETE = "delete"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A revision whose retention is `auto`, and that is not being built.

    `used_at` is the last visit, or else the end of its build; or when it was enabled again.
    """

    id: str
    project_id: str
    used_at: datetime
    disabled_at: datetime | None
    in_use: bool


def fates(
    candidates: Iterable[Candidate], now: datetime, limits: RetentionLimits
) -> Mapping[Candidate, Fate]:
    """Return what is to be done with whom; most are not mentioned."""
    found = {each: _fate(each, now, limits) for each in candidates}
    return {each: fate for each, fate in found.items() if fate is not None}


def _fate(candidate: Candidate, now: datetime, limits: RetentionLimits) -> Fate | None:
    disabled_at = candidate.disabled_at
    if candidate.in_use:
        # The one before it was taken away: it answers again for a host that others rely on.
        return None if disabled_at is None else Fate.ENABLE
    if disabled_at is not None:
        return Fate.DELETE if now - disabled_at > limits.delete_after else None
    return Fate.DISABLE if now - candidate.used_at > limits.disable_after else None
