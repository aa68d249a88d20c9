"""The shape that most messages have, read by one expression each.

A request without a body and without a field that decides anything but `Host`, and an answer that
is here as a whole with its length. What does not fit exactly is left to the parser, which accepts
everything that is accepted here and reads it alike: tests/subhosting/unit/test_plain.py. It saves
the parser's dozen calls into Python for each message, a third of the router's own time.

What is read of a line or a block of fields is remembered by its bytes, because a browser says the
same with every request and an app the same for a second: 3 of 4 microseconds. So is a request as a
whole, because many are asked again and again.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from bot.subhosting.host.http1 import MAX_FIELDS, Headers, Request, hostname_of

# RFC 9110 section 5: a name is a token; a value holds no control character but the tab.
_FIELD = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n"

_REQUEST_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*+) HTTP/1\.1")
# With the line end before the first field.
_FIELDS = re.compile(rb"\r\n(?:%b)++\r\n" % _FIELD)
_ANSWER = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9]) [\t -~]*+\r\n(?:%b)++\r\n" % _FIELD)

# More than nearly all heads; longer ones are for those who count better.
_MOST_BYTES = 8192

# Whatever http1 notes in a request, by the beginnings of the names.
_NOTED_IN_REQUEST = re.compile(
    rb"\n(host|connection|content-length|expect|te|trailer|transfer-encoding|upgrade|keep-alive"
    rb"|forwarded|proxy-[^:]*|x-deno-[^:]*|x-forwarded-[^:]*|x-preview-[^:]*|x-real-ip)"
    rb":[ \t]*([^\r]*)",
    re.IGNORECASE,
)
_KEPT_OPEN = re.compile(rb"\nconnection:[ \t]*keep-alive[ \t]*\r(?=\n)", re.IGNORECASE)

# The same of an answer; only a length may be there.
_NOTED_IN_ANSWER = re.compile(
    rb"\n(?:content-length:[ \t]*([0-9]{1,15})[ \t]*(?=\r)"
    rb"|content-length|connection|keep-alive|proxy-|te:|trailer|transfer-encoding|upgrade"
    rb"|x-preview-sha|x-robots-tag)",
    re.IGNORECASE,
)
# Of whole requests, which are longer than lines; together at most 1 MB, twice.
_MOST_REMEMBERED = 512
_MOST_REMEMBERED_BYTES = 2048

_BODILESS = frozenset({b"204", b"205", b"304"})


class PlainHead(NamedTuple):
    """The head of an answer that is here as a whole; `content` is without the empty line."""

    status: int
    length: int
    content: bytes


class PlainRequests:
    """Plain requests, found by their bytes when they come again.

    The same `Request` for every visitor that sends them: it is never changed.
    """

    def __init__(self, scheme: bytes) -> None:
        """Remember none; `scheme` is that of the address which apps see."""
        self._scheme = scheme
        self._known: dict[bytes, Request] = {}

    def find(self, received: bytes) -> Request | None:
        """Return the request that `received` is as a whole, if it is plain."""
        if len(received) > _MOST_REMEMBERED_BYTES:
            return plain_request(received)
        return self._known.get(received) or self._read(received)

    def _read(self, received: bytes) -> Request | None:
        request = plain_request(received)
        if request is not None:
            request.begun = request.begin(self._scheme, request.kept[0])
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[received] = request
        return request


def plain_request(received: bytes) -> Request | None:
    """Return the request that `received` is, from its first to its last byte, if it is plain."""
    end = received.find(b"\r\n", 0, _MOST_BYTES)
    line = _request_line(received[:end])
    if line is None or len(received) > _MOST_BYTES:
        return None
    fields = _request_fields(received[end:])
    if fields is None:
        return None
    request = Request()
    request.method, request.target = line
    kept, request.noted, request.host, request.hostname = fields
    request.kept = [kept]
    request.complete = True
    return request


def plain_answer(received: bytes) -> tuple[PlainHead, bytes] | None:
    """Return the head and the body of the answer that `received` is, as a whole, if it is plain.

    Not for an answer to HEAD, whose length is that of a body which does not come.
    """
    end = received.find(b"\r\n\r\n", 0, _MOST_BYTES) + 4
    head = _answer_head(received[:end])
    if head is None or len(received) != end + head.length:
        return None
    return head, received[end:]


@lru_cache(maxsize=256)
def _request_line(line: bytes) -> tuple[bytes, bytes] | None:
    """Read method and target."""
    found = _REQUEST_LINE.fullmatch(line)
    return None if found is None else (found[1], found[2])


@lru_cache(maxsize=256)
def _request_fields(block: bytes) -> tuple[bytes, Headers, bytes, str] | None:
    """Read fields, from the line end before the first to the empty line.

    Returns those to pass on, the noted ones, the host as it was sent, and what it routes by.
    """
    if _FIELDS.fullmatch(block) is None:
        return None
    lines = block[1:-2]
    noted = _NOTED_IN_REQUEST.findall(lines)
    if len(noted) != 1:
        lines, opened = _KEPT_OPEN.subn(b"", lines)
        noted = _NOTED_IN_REQUEST.findall(lines)
        if opened != 1 or len(noted) != 1:
            return None
    name, host = noted[0]
    hostname = hostname_of(host)
    kept = lines[1:]
    if name.lower() != b"host" or hostname is None or kept.count(b"\n") > MAX_FIELDS:
        return None
    return kept, noted, host, hostname


@lru_cache(maxsize=256)
def _answer_head(head: bytes) -> PlainHead | None:
    """Read a head with its empty line."""
    found = _ANSWER.fullmatch(head)
    if found is None:
        return None
    lengths = _NOTED_IN_ANSWER.findall(head)
    if len(lengths) != 1 or not lengths[0] or found[1] in _BODILESS:
        return None
    return PlainHead(int(found[1]), int(lengths[0]), head[:-4])
