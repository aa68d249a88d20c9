"""What went wrong with a platform, in the bot's own exceptions."""

from datetime import timedelta

import httpx
from pydantic import ValidationError

from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.render.terminal import printable_line
from bot.wire.deploy_v2 import ErrorBody

ASSET_NOT_FOUND = "assetNotFound"

# The base is gone, or is not what we remember it to be.
BASE_UNFIT = frozenset({"baseNotFound", "removedPathNotFound"})

# The platform's words are shown to people and stored; a page of HTML is neither.
MAX_MESSAGE_CHARS = 500

# Answers that say "not now": too slow, too many, and the server's own trouble.
_LATER = frozenset({408, 425, 429}) | frozenset(range(500, 600))


def unavailable(target: str, error: httpx.RequestError) -> TargetUnavailable:
    """Translate a connection that did not do its work, or brought what cannot be decoded."""
    words = printable_line(str(error)) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        words = "it did not answer in time"
    return TargetUnavailable(target, words)


def is_later(status: int) -> bool:
    """Tell whether the same request may succeed when it is sent again."""
    return status in _LATER


def refusal(
    target: str, *, status: int, body: bytes, retry_after: str | None
) -> TargetRefused | TargetUnavailable:
    """Translate an answer that is no success."""
    code, message = _words(body)
    if is_later(status):
        problem = f"it answered {status} {code}: {message}"
        return TargetUnavailable(target, problem, retry_after=_seconds(retry_after))
    return TargetRefused(target, status=status, code=code, message=message)


def not_understood(target: str, *, status: int, problem: str) -> TargetRefused:
    """Say that a success came with a body that is none of the API's."""
    message = f"the answer is not what the platform's API promises ({problem}); is the URL right?"
    return TargetRefused(target, status=status, code="notUnderstood", message=message)


def _words(body: bytes) -> tuple[str, str]:
    """Return the platform's code and message, or what can be shown instead."""
    try:
        # v1 sends the flat form, v2 that or the nested one, and ours both: one reader for all.
        error = ErrorBody.model_validate_json(body)
    except ValidationError:
        text = printable_line(body.decode(errors="replace"))
        return "noCode", text[:MAX_MESSAGE_CHARS] or "no message"
    return (
        printable_line(error.code)[:100],
        printable_line(error.message)[:MAX_MESSAGE_CHARS],
    )


def _seconds(header: str | None) -> timedelta | None:
    """Read Retry-After in its form of whole seconds; a date is taken for none."""
    if header is None or not header.isascii() or not header.isdigit() or len(header) > 5:  # noqa: PLR2004 - more than a day is no use
        return None
    return timedelta(seconds=int(header))
