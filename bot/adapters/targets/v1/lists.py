"""Lists of v1, page by page."""

from collections.abc import Iterator
from typing import TypeVar

from bot.adapters.targets.http import Api, Call

T = TypeVar("T")

PAGE_SIZE = 100
MAX_PAGES = 100


def listed(api: Api, url: str, page_type: type[list[T]], **params: str) -> Iterator[T]:
    """Yield what the list at `url` has, asking for as many pages as are wanted."""
    for page in range(1, 1 + MAX_PAGES):
        call = Call(method="GET", url=url, params={**params, "limit": PAGE_SIZE, "page": page})
        found = api.ask(call, page_type)
        yield from found
        if len(found) < PAGE_SIZE:
            return
