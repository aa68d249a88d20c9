"""When a preview ends by itself: too old, or without visitors for too long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.model.config import Lifetimes
from bot.core.model.lines import PRODUCTION, BranchLine
from bot.core.model.preview import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the platform knows of a preview's visitors; None: nobody came."""

    last_at: datetime | None


def overdue(
    newest: Deployment, visits: Seen | None, lifetimes: Lifetimes, now: datetime
) -> str | None:
    """Return why the preview of `newest` is to end now, as a clause in plain text, or None.

    Both spans count from its newest deployment, idleness also from its last visitor. Where the
    platform knows nothing of visitors (`visits` is None), nothing is called idle. Production
    and the default branch's preview stay, and so does one that is being deployed.
    """
    preview = newest.preview
    spared = {BranchLine(preview.repository.default_branch), PRODUCTION}
    if preview.line in spared or not newest.is_over:
        return None
    age = now - newest.created_at
    if lifetimes.longest is not None and age >= lifetimes.longest:
        return f"nothing was deployed to it for {_in_words(lifetimes.longest)}"
    if lifetimes.idle is None or visits is None:
        return None
    since = max(newest.created_at, visits.last_at or newest.created_at)
    if now - since >= lifetimes.idle:
        return f"nobody visited it for {_in_words(lifetimes.idle)}"
    return None


def may_be_idle(newest: Deployment, lifetimes: Lifetimes, now: datetime) -> bool:
    """Tell whether it is worth asking the platform for visitors."""
    return lifetimes.idle is not None and now - newest.created_at >= lifetimes.idle


def _in_words(span: timedelta) -> str:
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        count = span // length
        if count:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{span.total_seconds():.0f} seconds"
