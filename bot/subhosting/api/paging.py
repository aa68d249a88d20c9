"""Pages by number, with the four absolute links of v1."""

from collections.abc import Mapping
from math import ceil
from urllib.parse import urlencode

from flask import Response, request

from bot.subhosting.api.requests import one_of, services
from bot.subhosting.errors import InvalidRequest
from bot.subhosting.store.records import Page

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
# Keeps the offset within what databases count with; no list is that long.
MAX_PAGE = 10_000_000


def requested_page(sortable: Mapping[str, object], default_sort: str) -> Page:
    """Return the page that the query string asks for.

    Raises:
        InvalidRequest: a parameter is not what v1 allows; the message names it.

    """
    query = request.args
    return Page(
        page=_whole_number("page", 1, MAX_PAGE),
        limit=_whole_number("limit", DEFAULT_LIMIT, MAX_LIMIT),
        sort=one_of("sort", query.get("sort", default_sort), sortable),
        descending=one_of("order", query.get("order", "asc"), ("asc", "desc")) == "desc",
        matching=query.get("q") or None,
    )


def link(response: Response, page: Page, total: int) -> Response:
    """Add the `Link` header: rel next, prev, first and last, as far as they exist.

    URLs are absolute, because Deno's SDK does `new URL()` on them, and hold neither comma nor
    semicolon, because both SDKs split the header there.
    """
    last = max(1, ceil(total / page.limit))
    targets = {"first": 1, "last": last}
    if page.page < last:
        targets["next"] = page.page + 1
    if page.page > 1:
        targets["prev"] = min(page.page - 1, last)
    response.headers["Link"] = ", ".join(
        f'<{_url(number)}>; rel="{rel}"' for rel, number in sorted(targets.items())
    )
    return response


def _whole_number(name: str, default: int, maximum: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= maximum:
        msg = f"{name}: must be a whole number from 1 to {maximum}."
        raise InvalidRequest("invalidRequest", msg)
    return int(text)


def _url(number: int) -> str:
    query = {name: value for name, value in request.args.items() if name != "page"}
    parameters = urlencode({**query, "page": number})
    return f"{services().config.api_url.rstrip('/')}{request.path}?{parameters}"
