"""How a GitHub says no."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):  # noqa: N818 - reads as a sentence
    """An answer that is an error, with GitHub's words."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """Return the body."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        return body | {
            "documentation_url": "https://docs.github.com/rest",
            "status": str(self.status),
        }


class Invalid(Refusal):
    """The refusal of a request that is wrong in itself, whatever the fake knows."""

    def __init__(self, rule: str) -> None:
        super().__init__(422, f"Invalid request.\n\n{rule}", errors=[rule])


def not_found() -> Refusal:
    """Return GitHub's answer to what is not there, or not yours to know of."""
    return Refusal(404, "Not Found")
