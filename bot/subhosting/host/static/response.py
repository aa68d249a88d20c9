"""The whole answer to one request for a static site: its head, and the pieces of its body."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.subhosting.build.site import Site
from bot.subhosting.host.pages import Refusal
from bot.subhosting.host.static import choice, conditions
from bot.subhosting.host.static.choice import File, Missing, Moved, NotAPath
from bot.subhosting.host.static.conditions import Part, Verdict, Version
from bot.subhosting.host.static.media_types import media_type

Headers = list[tuple[bytes, bytes]]

_METHODS: Final = frozenset({b"GET", b"HEAD"})

# A stable address shows another deployment tomorrow, so everybody asks again each time; the tag
# makes the answer short.
_CACHING: Final = (b"cache-control", b"public, max-age=0, must-revalidate")

# Pages of ours hold for this moment only.
_NOT_KEPT: Final = (b"cache-control", b"no-store")

# What does not call itself a script must not be run as one.
_TYPED: Final = (b"x-content-type-options", b"nosniff")


@dataclass(slots=True, kw_only=True)
class Response:
    """What to answer; `body` are bytes, or parts of the open file."""

    status: int
    headers: Headers
    body: tuple[bytes | Part, ...] = ()
    # Its owner closes it.
    descriptor: int | None = None


def respond(site: Site, method: bytes, target: bytes, fields: Mapping[bytes, bytes]) -> Response:
    """Return the answer to a request; `fields` have names in lower case.

    A file of the answer is left open. A site whose file is not on disk is marked as draining.
    """
    if method not in _METHODS:
        refused = _page(Refusal(405, "A static site is only read."), method)
        refused.headers.append((b"allow", b"GET, HEAD"))
        return refused
    accepted = fields.get(b"accept-encoding", b"").decode("latin-1")
    found = choice.chosen(site.listing, target, accepted, spa=site.spa)
    match found:
        case NotAPath():
            return _page(Refusal(400, "The path is not valid."), method)
        case Missing():
            return _page(Refusal(404, "This site has no such page."), method)
        case Moved(location=location):
            moved = _page(Refusal(302, "The folder's own page has a slash behind it."), method)
            moved.headers.append((b"location", location.encode("ascii")))
            return moved
        case File():
            return _of_file(site, found, method, fields)


def _of_file(site: Site, file: File, method: bytes, fields: Mapping[bytes, bytes]) -> Response:
    try:
        place = site.place_of(file.sent, file.sha1)
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        site.draining = True  # the next visitor has it put in place again
        return _page(Refusal(503, "The files of this site are not there; try again."), method)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        return _page(Refusal(404, "This site has no such page."), method)
    version = Version(tag=b'"%b"' % file.sha1.encode(), modified=site.deployed_at)
    verdict = Verdict(status=file.status)
    if file.status == conditions.OK:
        verdict = conditions.judged(fields, version, found.st_size, may_be_part=method == b"GET")
    response = _judged(file, version, verdict, found.st_size)
    if method == b"HEAD":
        response.body = ()
    if not any(isinstance(piece, Part) for piece in response.body):
        os.close(descriptor)
        return response
    response.descriptor = descriptor
    return response


def _judged(file: File, version: Version, verdict: Verdict, size: int) -> Response:
    headers: Headers = [(b"etag", version.tag), (b"last-modified", version.date), _CACHING, _TYPED]
    if file.varies:
        headers.append((b"vary", b"accept-encoding"))
    status = verdict.status
    if status == conditions.NOT_MODIFIED:
        return Response(status=status, headers=headers)
    if status == conditions.PRECONDITION_FAILED:
        return Response(status=status, headers=[*headers, (b"content-length", b"0")])
    headers.append((b"accept-ranges", b"bytes"))
    if status == conditions.UNSATISFIABLE:
        unknown = (b"content-range", b"bytes */%d" % size)
        return Response(status=status, headers=[*headers, unknown, (b"content-length", b"0")])
    if file.coding is not None:
        headers.append((b"content-encoding", file.coding.encode()))
    kind = media_type(file.path).encode()
    if len(verdict.parts) > 1:
        return _multipart(headers, kind, file.sha1.encode(), verdict.parts, size)
    part = verdict.parts[0] if verdict.parts else Part(0, size)
    headers += [(b"content-type", kind), (b"content-length", b"%d" % part.length)]
    if verdict.parts:
        headers.append((b"content-range", _content_range(part, size)))
    return Response(status=status, headers=headers, body=(part,) if part.length else ())


def _multipart(
    headers: Headers, kind: bytes, sha1: bytes, parts: tuple[Part, ...], size: int
) -> Response:
    """Return several parts at once, as RFC 9110 section 14.6 frames them."""
    # No content holds its own hash.
    boundary = b"part-%b" % sha1
    body: list[bytes | Part] = []
    for part in parts:
        head = b"\r\n--%b\r\ncontent-type: %b\r\ncontent-range: %b\r\n\r\n"
        body += [head % (boundary, kind, _content_range(part, size)), part]
    body.append(b"\r\n--%b--\r\n" % boundary)
    length = sum(piece.length if isinstance(piece, Part) else len(piece) for piece in body)
    headers += [
        (b"content-type", b"multipart/byteranges; boundary=%b" % boundary),
        (b"content-length", b"%d" % length),
    ]
    return Response(status=conditions.PARTIAL, headers=headers, body=tuple(body))


def _content_range(part: Part, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (part.start, part.start + part.length - 1, size)


def _page(refusal: Refusal, method: bytes) -> Response:
    page = refusal.document()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(page)),
        _NOT_KEPT,
    ]
    return Response(
        status=refusal.status, headers=headers, body=() if method == b"HEAD" else (page,)
    )
