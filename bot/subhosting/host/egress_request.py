"""What a proxy's client asks for, in pure functions: `CONNECT`, or `http://` in absolute form.

https://www.rfc-editor.org/rfc/rfc9112#section-3.2 and https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
"""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

# A request line with its headers; what fetches modules needs far less.
MAX_HEAD_BYTES = 32 * 1024

_REQUEST_LINE = re.compile(rb"([A-Z]{1,32}) ([\x21-\x7e]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:@/?#\s]{1,255}):([0-9]{1,5})")

# They speak of the connection to us, and end here.
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"host"}
)
_HTTP_PORT = 80
_MAX_PORT = 65535


class BadRequest(Exception):  # noqa: N818 - the answer's own name
    """It is no request to a proxy; the message says what is wrong, without any of its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRequest:
    """A request of a client: to whom, and what to send there."""

    host: str
    port: int
    # None for a tunnel, else the request as its server expects it.
    forwarded: bytes | None
    # The value of `Proxy-Authorization`.
    authorization: bytes | None


def parse(head: bytes) -> ProxyRequest:
    """Return what a request's head, which ends in an empty line, asks for.

    Raises:
        BadRequest: anything that is neither `CONNECT host:port` nor `http://` in absolute form.

    """
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if (found := _REQUEST_LINE.fullmatch(first)) is None:
        raise BadRequest("the request line is none of HTTP/1.1")
    method, target = found[1], found[2].decode("ascii")
    fields = [_field(line) for line in lines]
    said = [value for name, value in fields if name.lower() == b"proxy-authorization"]
    authorization = said[0] if len(said) == 1 else None
    if method == b"CONNECT":
        host, port = _authority(target)
        return ProxyRequest(host=host, port=port, forwarded=None, authorization=authorization)
    host, port, origin_form = _absolute(target)
    forwarded = _forwarded(method, origin_form, _host_field(host, port), fields)
    return ProxyRequest(host=host, port=port, forwarded=forwarded, authorization=authorization)


def is_authorized(authorization: bytes | None, credential: str | None) -> bool:
    """Return whether a client that said `authorization` knows `credential` (`user:password`)."""
    if credential is None:
        return True
    scheme, _, encoded = (authorization or b"").partition(b" ")
    try:
        said = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == b"basic" and secrets.compare_digest(said, credential.encode())


def is_listed(host: str, port: int, net: Sequence[str] | None) -> bool:
    """Return whether an allow-list of `host` and `host:port` has it; None and `*` have all.

    The elements are those of `permissions.net`; an IPv6 address is in brackets there.
    """
    if net is None or "*" in net:
        return True
    shown = bracketed(host.lower())
    return any(each.lower() in {shown, f"{shown}:{port}"} for each in net)


def bracketed(host: str) -> str:
    """Return a host as it stands in front of a port."""
    return f"[{host}]" if ":" in host else host


def _field(line: bytes) -> tuple[bytes, bytes]:
    # A folded line begins with a blank, which no name does.
    if (found := _FIELD.fullmatch(line)) is None:
        raise BadRequest("a header is malformed")
    return found[1], found[2]


def _authority(text: str) -> tuple[str, int]:
    if (found := _AUTHORITY.fullmatch(text)) is None:
        raise BadRequest("the target is not host:port")
    port = int(found[2])
    if not 0 < port <= _MAX_PORT:
        raise BadRequest("there is no such port")
    return found[1].strip("[]").lower(), port


def _absolute(target: str) -> tuple[str, int, str]:
    """Return host, port and the target in origin form."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise BadRequest("the target is no URL") from error
    if parts.scheme != "http":
        raise BadRequest("only CONNECT and http:// in absolute form are understood")
    has_port = re.search(r":[0-9]*$", parts.netloc) is not None
    netloc = parts.netloc.removesuffix(":") if has_port else f"{parts.netloc}:{_HTTP_PORT}"
    host, port = _authority(netloc)
    query = f"?{parts.query}" if parts.query else ""
    return host, port, f"{parts.path or '/'}{query}"


def _host_field(host: str, port: int) -> str:
    return bracketed(host) if port == _HTTP_PORT else f"{bracketed(host)}:{port}"


def _forwarded(
    method: bytes, target: str, host: str, fields: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Return the request for its server: one per connection, unless it becomes something else."""
    kept = [(name, value) for name, value in fields if name.lower() not in _HOP_BY_HOP]
    upgrades = any(name.lower() == b"upgrade" for name, _ in kept)
    lines = [
        b"%b %b HTTP/1.1" % (method, target.encode("ascii")),
        b"Host: %b" % host.encode("ascii"),
        *(b"%b: %b" % field for field in kept),
        b"Connection: upgrade" if upgrades else b"Connection: close",
    ]
    return b"\r\n".join((*lines, b"", b""))
