"""The server's own exception tree.

    SubhostingError                  500 internal
    ├── Unauthorized                 401 invalidToken
    ├── NotFound                     404 <thing>NotFound
    ├── InvalidRequest               400 any code: the message names the field
    │   ├── ProjectNameTaken         400 projectNameTaken
    │   └── AssetNotFound            400 assetNotFound, with the list of what is missing
    ├── TooLarge                     413 <thing>TooLarge
    └── Busy                         503 tooManyStreams

Codes are camelCase as in Deno's API v1. A taken project name is a 400 and not a 409, because the
published document knows only 400, 401 and 404 there, and Deno's v1 SDK retries every 409.
"""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

# Enough to act on, little enough to read; the `missing` list beside the message is complete.
NAMED_IN_MESSAGE = 5


class SubhostingError(Exception):
    """Something the client is told: an HTTP status, a code for programs, a message for people."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code
        self.message = message

    def body(self) -> dict[str, object]:
        """Return the error as v1's ErrorBody."""
        return {"code": self.code, "message": self.message}


class Unauthorized(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """No token, or one we do not know."""

    status = 401

    def __init__(self) -> None:
        """Say what to send; never which part was wrong."""
        super().__init__(
            "invalidToken",
            "The access token is missing or unknown; send it as `Authorization: Bearer ddo_...`.",
        )


class NotFound(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """The thing is not there, or not for this organization; the two look the same."""

    status = 404

    def __init__(self, thing: str, name: str) -> None:
        """Name the kind of thing, for example `project`, and what was asked for."""
        super().__init__(f"{thing}NotFound", f"There is no {thing} {name!r} here.")


class InvalidRequest(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """The client must change what it sends."""

    status = 400


class ProjectNameTaken(InvalidRequest):
    """The name belongs to another project."""

    def __init__(self, name: str) -> None:
        """Name the name."""
        super().__init__("projectNameTaken", f"name: a project named {name!r} exists already.")


class AssetNotFound(InvalidRequest):
    """A `gitSha1` names content that this project was never sent.

    The words are the same whether another project knows the content or nobody does, so that
    nobody can ask for the files of others by their hash.
    """

    def __init__(self, missing: Sequence[tuple[str, str]]) -> None:
        """Take (path, git SHA-1) pairs."""
        named = ", ".join(f"{path} ({sha1})" for path, sha1 in missing[:NAMED_IN_MESSAGE])
        more = len(missing) - NAMED_IN_MESSAGE
        rest = f" and {more} more" if more > 0 else ""
        super().__init__(
            "assetNotFound",
            f"This project does not have the content of {named}{rest}; send it inline.",
        )
        self.missing = tuple(missing)

    @override
    def body(self) -> dict[str, object]:
        """Return ErrorBody with our `missing` extension."""
        missing = [{"path": path, "gitSha1": sha1} for path, sha1 in self.missing]
        return {**super().body(), "missing": missing}


class TooLarge(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """More than a limit of ours allows."""

    status = 413


class Busy(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """All places for waiting requests are taken; try again shortly."""

    status = 503
