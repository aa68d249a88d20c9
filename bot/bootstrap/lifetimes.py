"""How long previews stay, and how many, unless their repository says otherwise."""

from datetime import timedelta

from bot.core.model.config import Lifetimes
from bot.settings import Settings


def lifetimes_from(settings: Settings) -> Lifetimes:
    """Return the operator's choice; a setting of 0 is no limit."""
    return Lifetimes(
        longest=_days(settings.preview_days),
        idle=_days(settings.preview_idle_days),
        most=settings.previews_per_repository or None,
    )


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None
