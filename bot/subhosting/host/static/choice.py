"""Which file answers a request: a pure choice over the paths of a site."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from bot.subhosting.build.site import INDEX, NOT_FOUND, Listing
from bot.subhosting.host.static import encodings

_BROKEN: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to answer with: what it is called, and which form of it is sent.

    `varies` tells that others get another form; `status` is 404 for the page that says so.
    """

    path: str
    sent: str
    sha1: str
    coding: str | None = None
    varies: bool = False
    status: int = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """A folder without its slash; `location` is relative and so stays on this host."""

    location: str


@dataclass(frozen=True, slots=True)
class Missing:
    """There is nothing, and no page that says so either."""


@dataclass(frozen=True, slots=True)
class NotAPath:
    """The target is no path that anybody could have meant."""


Choice = File | Moved | Missing | NotAPath


def chosen(listing: Listing, target: bytes, accepted: str | None, *, spa: bool) -> Choice:
    """Return what answers `target`, a path with or without a query.

    `accepted` is the request's `Accept-Encoding`. With `spa` a path that names no file, and whose
    last step has no dot, is answered with the site's first page.
    """
    raw, mark, query = target.partition(b"?")
    steps = _steps(raw)
    if steps is None:
        return NotAPath()
    path = "/".join(steps)
    wanted = f"{path}{INDEX}" if not path or path.endswith("/") else path
    if (found := listing.find(wanted)) is not None:
        return _file(listing, found, accepted)
    if path and not path.endswith("/") and listing.find(f"{path}/{INDEX}") is not None:
        # `./` so that a name with a colon in it is not taken for a scheme.
        question = (mark + query).decode("latin-1")
        return Moved(f"./{quote(steps[-1], safe='')}/{quote(question, safe=_IN_A_QUERY)}")
    if spa and "." not in steps[-1] and (first := listing.find(INDEX)) is not None:
        return _file(listing, first, accepted)
    if (page := listing.find(NOT_FOUND)) is not None:
        return _file(listing, page, accepted, status=404)
    return Missing()


# What a query holds as it stands; `%` because it is encoded already.
_IN_A_QUERY: Final = "?/:@!$&'()*+,;=-._~%"


def _steps(raw: bytes) -> list[str] | None:
    """Return the decoded steps of a path, the last one empty for a folder; None if it is none.

    A slash that is encoded is part of a name, and no file has such a name.
    """
    if _BROKEN.search(raw):
        return None
    steps = []
    for step in raw.removeprefix(b"/").split(b"/"):
        try:
            text = unquote_to_bytes(step).decode()
        except UnicodeDecodeError:
            return None
        if text in {".", ".."} or "\0" in text or "/" in text:
            return None
        steps.append(text)
    return steps


def _file(listing: Listing, path: str, accepted: str | None, *, status: int = 200) -> File:
    beside = {
        coding: found
        for coding, ending in encodings.ENDINGS.items()
        if (found := listing.find(path + ending)) is not None
    }
    coding = encodings.best(accepted, beside) if beside else None
    sent = path if coding is None else beside[coding]
    return File(
        path=path,
        sent=sent,
        sha1=listing.files[sent],
        coding=coding,
        varies=bool(beside),
        status=status,
    )
