"""What went wrong at GitHub, in our words: wait, log in again, or give up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from json import JSONDecodeError

from github import BadCredentialsException, GithubException, RateLimitExceededException
from pydantic import ValidationError
from requests import RequestException

from bot.kernel.redact import redact

# What a call to GitHub may raise: its answer, the line, or an answer that is not GitHub's (a proxy
# in between that sends a page of its own).
TROUBLES = (GithubException, RequestException, JSONDecodeError, ValidationError)

# "If you receive a rate limit error without either header, wait at least one minute."
# https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
UNTOLD_WAIT = timedelta(minutes=1)

# GitHub's clock and ours differ; asking a moment too early costs the whole wait again.
RESET_MARGIN = timedelta(seconds=1)

_BUSY = 429
_REQUEST_TIMEOUT = 408
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLater:
    """GitHub may take it later; `wait` is what it asked for, None when it did not say."""

    problem: str
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginExpired:
    """Our token is not good any more."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """GitHub understood and said no."""

    status: int
    message: str


Trouble = TryLater | LoginExpired | Refused


def trouble_of(error: Exception, now: datetime) -> Trouble:
    """Return what to make of one of `TROUBLES`.

    A limit is told from a missing right by its headers, in the order that GitHub documents:
    Retry-After, then the reset time of a limit that is used up, else a minute.
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    match error:
        case BadCredentialsException() | GithubException(status=401):
            return LoginExpired(problem=_message(error))
        case GithubException(status=status):
            return _judged(error, status, now)
        case RequestException():
            return TryLater(problem=_message(error))
        case _:
            return TryLater(problem="the answer is not GitHub's; is the API address right?")


def _judged(error: GithubException, status: int, now: datetime) -> TryLater | Refused:
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    wait = _asked_wait(headers, now)
    if status >= _SERVER_ERROR or status == _REQUEST_TIMEOUT:
        return TryLater(problem=_message(error), wait=wait)
    limited = status == _BUSY or isinstance(error, RateLimitExceededException)
    if limited or (status == _FORBIDDEN and wait is not None):
        return TryLater(problem=_message(error), wait=wait or UNTOLD_WAIT)
    return Refused(status=status, message=_message(error))


def _asked_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    if (text := headers.get("retry-after")) is not None:
        return _retry_after(text, now)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        until = datetime.fromtimestamp(int(reset), UTC) - now
        return max(until, timedelta()) + RESET_MARGIN
    return None


def _retry_after(text: str, now: datetime) -> timedelta:
    """Read seconds or a date, the two forms of https://www.rfc-editor.org/rfc/rfc9110#field.retry-after."""
    if text.isdecimal():
        return timedelta(seconds=int(text))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return UNTOLD_WAIT


def _message(error: Exception) -> str:
    """Return GitHub's own words, details included, without anything secret."""
    if not isinstance(error, GithubException):
        return redact(f"{type(error).__name__}: {error}")
    data = error.data if isinstance(error.data, dict) else {}
    said = [str(data.get("message") or error.message or f"status {error.status}")]
    details = data.get("errors")
    if isinstance(details, list):
        said += [str(detail) for detail in details if str(detail) not in said[0]]
    return redact("; ".join(said))
