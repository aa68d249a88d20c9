"""When a preview ends by itself: too old, or without visitors for too long."""

from datetime import datetime, timedelta

from bot.core.model.config import Lifetimes
from bot.core.model.lines import PRODUCTION, BranchLine
from bot.core.model.preview import Deployment, Preview, Seen
from bot.kernel.counting import counted

# A platform may tell of the last day alone: looked at four times in it, none is missed.
LOOK_EVERY = timedelta(hours=6)


def overdue(
    newest: Deployment, visits: Seen | None, lifetimes: Lifetimes, now: datetime
) -> str | None:
    """Return why the preview of `newest` is to end now, as a clause in plain text, or None.

    Both spans count from its newest deployment, idleness also from its last visitor. Where the
    platform knows nothing of visitors (`visits` is None), nothing is called idle. Production
    and the default branch's preview stay, and so does one that is being deployed.
    """
    if is_spared(newest.preview) or not newest.is_over:
        return None
    age = now - newest.created_at
    if lifetimes.longest is not None and age >= lifetimes.longest:
        return f"nothing was deployed to it for {_in_words(lifetimes.longest)}"
    if lifetimes.idle is None or visits is None:
        return None
    if now - _last_of(newest, visits) >= lifetimes.idle:
        return f"nobody visited it for {_in_words(lifetimes.idle)}"
    return None


def is_spared(preview: Preview) -> bool:
    """Tell whether the preview never ends by itself."""
    default = BranchLine(preview.repository.default_branch)
    return preview.line in {default, PRODUCTION}


def is_to_be_asked(
    newest: Deployment, before: Seen | None, lifetimes: Lifetimes, now: datetime
) -> bool:
    """Tell whether it is time to ask the platform for visitors: at times, and before the end."""
    if lifetimes.idle is None or is_spared(newest.preview):
        return False
    if before is None or now - before.until >= LOOK_EVERY:
        return True
    return now - _last_of(newest, before) >= lifetimes.idle


def seen(
    last_at: datetime | None, since: datetime | None, before: Seen | None, now: datetime
) -> Seen:
    """Return what is known by now, when the platform tells of what was since `since` (None: all).

    Between what it tells of and what was known `before` nobody looked: somebody may have come.
    """
    if last_at is not None or since is None:
        return Seen(last_at=last_at, until=now)
    if before is not None and since <= before.until:
        return Seen(last_at=before.last_at, until=now)
    return Seen(last_at=since, until=now)


def _last_of(newest: Deployment, visits: Seen) -> datetime:
    """Return when anybody last had to do with it: whoever deployed, or whoever came."""
    return max(newest.created_at, visits.last_at or newest.created_at)


def _in_words(span: timedelta) -> str:
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        count = span // length
        if count:
            return counted(count, unit)
    return counted(round(span.total_seconds()), "second")
