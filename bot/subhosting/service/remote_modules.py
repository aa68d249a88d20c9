"""URLs that clients give in place of assets: entry points, import maps, lock files."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.trust.addresses import AllowList

# What stands on a command line and in logs, and no more than anybody needs.
_MAX_LENGTH = 2048
_PLAIN = re.compile(r"[\x21-\x7e]+")


def checked_url(field: str, code: str, url: str, opened: AllowList) -> str | None:
    """Return a URL that the build is to fetch, without its fragment; None if it is no such URL.

    Whether its host may be contacted is decided when it is: by the egress proxy.

    Raises:
        InvalidRequest: with `code`, when nothing good could come of it; names the field.

    """
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise InvalidRequest(code, f"{field}: {url[:300]!r} is no URL.") from error
    if scheme not in {"http", "https"} or not host:
        return None
    if len(url) > _MAX_LENGTH or _PLAIN.fullmatch(url) is None:
        msg = f"{field}: a URL has at most {_MAX_LENGTH} characters, all of them printable ASCII."
        raise InvalidRequest(code, msg)
    if parts.username is not None or parts.password is not None:
        # Everybody on the machine can read command lines.
        raise InvalidRequest(code, f"{field}: a URL with a password is not taken.")
    if scheme == "http" and not _is_opened(host, opened):
        raise InvalidRequest(code, f"{field}: {url[:300]!r} must be https.")
    return parts._replace(fragment="").geturl()


def _is_opened(host: str, opened: AllowList) -> bool:
    """Return whether the operator opened a host by its name, or the address that it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return opened.has_name(host)
    return opened.has(host, address)
