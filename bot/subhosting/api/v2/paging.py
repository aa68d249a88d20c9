"""Pages by cursor: where the last one ended, wrapped so that nobody builds upon it."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import orjson
from flask import Response, request

from bot.subhosting.api import parameters
from bot.subhosting.api.answers import json
from bot.subhosting.api.links import add_next
from bot.subhosting.errors import InvalidRequest
from bot.subhosting.store.records import After

DEFAULT_LIMIT = 30
MAX_LIMIT = 100

Item = TypeVar("Item")


def limit() -> int:
    """Return how many items a page may have.

    Raises:
        InvalidRequest: it is out of bounds.

    """
    return parameters.whole_number("limit", DEFAULT_LIMIT, MAX_LIMIT)


def given_cursor() -> str | None:
    """Return the request's cursor.

    The Python SDK sends the whole next address as cursor, and behind an older one: the last wins,
    and of an address its own cursor counts.
    """
    cursors = request.args.getlist("cursor")
    if not cursors:
        return None
    cursor = cursors[-1]
    if cursor.startswith(("http://", "https://")):
        try:
            within = parse_qs(urlsplit(cursor).query).get("cursor", [])
        except ValueError:
            within = []
        return within[-1] if within else None
    return cursor or None


def after() -> After | None:
    """Return where the page begins; None at the start.

    Raises:
        InvalidRequest: the cursor is none of ours.

    """
    cursor = given_cursor()
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, key = orjson.loads(base64.urlsafe_b64decode(padded))
        created_at = datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        created_at, key = None, None
    if created_at is None or not isinstance(key, str) or "\0" in key:
        msg = f"cursor: {cursor[:64]!r} is not one that this server gave."
        raise InvalidRequest("invalidRequest", msg)
    return After(created_at=created_at, id=key)


def page(
    found: Sequence[Item],
    wanted: int,
    document: Callable[[Item], object],
    place: Callable[[Item], After],
) -> Response:
    """Answer with the first `wanted` of `found`, and with a link if there are more."""
    shown = found[:wanted]
    response = json([document(each) for each in shown])
    more = len(found) > wanted
    return add_next(response, _cursor(place(shown[-1])) if more else None)


def _cursor(place: After) -> str:
    text = orjson.dumps([place.created_at.isoformat(), place.id])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
