"""One call of the API on its way through the fake, and what a handler answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.github.access import Caller
from tests.fakes.github.documents import Documents
from tests.fakes.github.entities import JsonObject
from tests.fakes.github.refusals import Refusal
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.store import Store

DEFAULT_PAGE = 30
MAX_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was understood, authenticated and allowed."""

    store: Store
    documents: Documents
    caller: Caller
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonObject
    found: FakeRepository | None = None
    address: str = ""  # full, without the query; for the links of pages

    @property
    def repository(self) -> FakeRepository:
        """Return the repository that the path names."""
        assert self.found is not None
        return self.found

    def commit(self, sha: str) -> str:
        """Return `sha` if it is a commit of the repository, else refuse."""
        if not self.repository.has_commit(sha):
            raise Refusal(422, f"No commit found for SHA: {sha}")
        return sha

    def page(self, items: list[Any]) -> tuple[list[Any], Mapping[str, str]]:
        """Return the asked page of `items`, and the header that links the others."""
        size = min(int(self.query.get("per_page", DEFAULT_PAGE)), MAX_PAGE)
        number = int(self.query.get("page", 1))
        start = (number - 1) * size
        if start + size >= len(items):
            return items[start : start + size], {}
        rest = "&".join(f"{k}={v}" for k, v in self.query.items() if k != "page")
        link = f'<{self.address}?{rest}&page={number + 1}>; rel="next"'
        return items[start : start + size], {"Link": link}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and a document."""

    status: int = 200
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An endpoint: where it is, who may call it, and what it does.

    `permission` is the right that a token needs, None where only an App's JWT will do.
    """

    method: str
    pattern: str  # as in GitHub's OpenAPI description
    permission: tuple[str, str] | None
    handler: Handler
