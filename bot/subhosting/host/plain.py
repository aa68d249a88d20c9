"""The shape that most messages have, read by one expression each.

A request without a body and without a field that decides anything but `Host`, and an answer that
is here as a whole with its length. What does not fit exactly is left to the parser, which accepts
everything that is accepted here and reads it alike: tests/subhosting/unit/test_plain.py. It saves
the parser's dozen calls into Python for each message, a third of the router's own time.
"""

import re
from typing import NamedTuple

from bot.subhosting.host.http1 import MAX_FIELDS, Request, hostname_of

# RFC 9110 section 5: a name is a token; a value holds no control character but the tab.
_FIELD = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n"

_REQUEST = re.compile(rb"(GET|HEAD) (/[!-~]*+) HTTP/1\.1\r\n((?:%b)++)\r\n" % _FIELD)
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
_BODILESS = frozenset({b"204", b"205", b"304"})


class PlainAnswer(NamedTuple):
    """An answer of an app that is here as a whole; the head is without the empty line."""

    status: int
    head: bytes
    body: bytes


def plain_request(received: bytes) -> Request | None:
    """Return the request that `received` is, from its first to its last byte, if it is plain."""
    found = _REQUEST.fullmatch(received) if len(received) <= _MOST_BYTES else None
    if found is None:
        return None
    method, target, fields = found.groups()
    # With the line end before the first field.
    lines = received[found.start(3) - 1 : -2]
    noted = _NOTED_IN_REQUEST.findall(lines)
    if len(noted) != 1:
        fields, opened = _KEPT_OPEN.subn(b"", lines)
        noted = _NOTED_IN_REQUEST.findall(fields)
        fields = fields[1:]
        if opened != 1 or len(noted) != 1:
            return None
    name, host = noted[0]
    hostname = hostname_of(host)
    if name.lower() != b"host" or hostname is None or fields.count(b"\n") > MAX_FIELDS:
        return None
    request = Request()
    request.method, request.target, request.complete = method, target, True
    request.host, request.hostname = host, hostname
    request.noted, request.kept = noted, [fields]
    return request


def plain_answer(received: bytes) -> PlainAnswer | None:
    """Return the answer that `received` is, from its first to its last byte, if it is plain.

    Not for an answer to HEAD, whose length is that of a body which does not come.
    """
    found = _ANSWER.match(received, 0, _MOST_BYTES)
    if found is None:
        return None
    end = found.end()
    head = received[: end - 4]
    lengths = _NOTED_IN_ANSWER.findall(received, 0, end)
    if len(lengths) != 1 or not lengths[0] or found[1] in _BODILESS:
        return None
    if len(received) != end + int(lengths[0]):
        return None
    return PlainAnswer(int(found[1]), head, received[end:])
