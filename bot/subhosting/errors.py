"""The server's own exception tree.

    SubhostingError                  500 internal
    ├── Unauthorized                 401 invalidToken
    ├── NotFound                     404 <thing>NotFound
    ├── InvalidRequest               400 any code: the message names the field
    │   ├── ProjectNameTaken         400 projectNameTaken
    │   └── AssetNotFound            400 assetNotFound, with the list of what is missing
    ├── Conflict                     409 any code
    ├── Forbidden                    403 any code
    ├── TooLarge                     413 <thing>TooLarge
    ├── UnsupportedEncoding          415 unsupportedContentEncoding
    ├── TooManyDeployments           429 tooManyDeployments
    └── Busy                         503 tooManyStreams

Codes are camelCase as in Deno's API v1. A taken project name is a 400 and not a 409, because the
published document knows only 400, 401 and 404 there, and Deno's v1 SDK retries every 409.
"""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
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

    def headers(self) -> dict[str, str]:
        """Return what the answer says beside its body."""
        return {}


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


class Conflict(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """What is there already stands in the way, where the published document says 409."""

    status = 409


class Forbidden(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """We know who asks, and they may not."""

    status = 403


class UnsupportedEncoding(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """A body is compressed in a way that we do not read."""

    status = 415

    def __init__(self, coding: str, accepted: Sequence[str]) -> None:
        """Say what to send instead, in the message and as RFC 9110 (15.5.16) wants it."""
        self.accepted = ", ".join(accepted)
        msg = f"Content-Encoding: {coding[:64]!r} is not one of {self.accepted}."
        super().__init__("unsupportedContentEncoding", msg)

    @override
    def headers(self) -> dict[str, str]:
        """Return the codings that are read."""
        return {"Accept-Encoding": self.accepted}


class TooManyDeployments(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """An organization made as many deployments in an hour as it may."""

    status = 429

    def __init__(self, limit: int, retry_after: timedelta) -> None:
        """Say when there is room again."""
        self.retry_after = retry_after
        msg = (
            f"deployments: the organization made {limit} in an hour, which is the limit;"
            f" try again in {self._seconds} s."
        )
        super().__init__("tooManyDeployments", msg)

    @override
    def headers(self) -> dict[str, str]:
        """Return the wait as RFC 9110 (10.2.3) spells it."""
        return {"Retry-After": self._seconds}

    @property
    def _seconds(self) -> str:
        return str(max(1, ceil(self.retry_after.total_seconds())))


class TooLarge(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """More than a limit of ours allows."""

    status = 413


class Busy(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """All places for waiting requests are taken; try again shortly."""

    status = 503
