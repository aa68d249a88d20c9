"""Parameters of a query string, checked, with errors that name them."""

import re
from datetime import UTC, datetime

from flask import request

from bot.subhosting.errors import InvalidRequest

# https://www.rfc-editor.org/rfc/rfc3339#section-5.6, where the space is allowed too.
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# An offset whose `+` was not escaped arrives as a space.
_LOST_PLUS = re.compile(r" (?=\d\d:\d\d\Z)")

# Nothing of ours is older or will be newer; and one can still add a day to either.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def text(name: str) -> str | None:
    """Return a parameter; None when it is missing or empty.

    Raises:
        InvalidRequest: it holds a NUL, which PostgreSQL cannot compare anything with.

    """
    given = request.args.get(name)
    if given and "\0" in given:
        raise InvalidRequest("invalidRequest", f"{name}: must not hold a NUL character.")
    return given or None


def moment(name: str) -> datetime | None:
    """Return a moment in RFC 3339, brought into the time that this server knows.

    Raises:
        InvalidRequest: it is something else.

    """
    given = request.args.get(name)
    if given is None:
        return None
    found = _read(_LOST_PLUS.sub("+", given))
    if found is None:
        msg = f"{name}: {given[:64]!r} is not a moment such as 2026-01-31T12:00:00Z (RFC 3339)."
        raise InvalidRequest("invalidRequest", msg)
    return found


def whole_number(name: str, default: int, maximum: int) -> int:
    """Return a number from 1 to `maximum`.

    Raises:
        InvalidRequest: it is something else.

    """
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit()) or not 1 <= int(given[:9]) <= maximum:
        msg = f"{name}: must be a whole number from 1 to {maximum}."
        raise InvalidRequest("invalidRequest", msg)
    return int(given)


def names(name: str, allowed: tuple[str, ...]) -> list[str] | None:
    """Return a comma-separated list, or None when it is missing or empty.

    Raises:
        InvalidRequest: one of them is not allowed.

    """
    given = [each.strip() for each in request.args.get(name, "").split(",") if each.strip()]
    for each in given:
        if each not in allowed:
            msg = f"{name}: {each[:64]!r} is not one of {', '.join(allowed)}."
            raise InvalidRequest("invalidRequest", msg)
    return given or None


def _read(spelled: str) -> datetime | None:
    if _MOMENT.fullmatch(spelled) is None:
        return None
    try:
        found = datetime.fromisoformat(spelled.upper())
    except ValueError:
        return None
    if not _EARLIEST.year < found.year < _LATEST.year:
        return _EARLIEST if found.year <= _EARLIEST.year else _LATEST
    return found.astimezone(UTC)
