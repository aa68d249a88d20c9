"""Get a small document from somebody else's server: no redirects, bounded in size and time."""

from datetime import timedelta

import httpx

from bot.kernel.clock import Clock

_OK = 200
_PLAIN = {"Accept-Encoding": "identity"}


class FetchFailed(Exception):  # noqa: N818 - reads as a sentence in `except`
    """The document did not come; the message says why, without any of its content."""


def fetch(
    client: httpx.Client, url: str, clock: Clock, *, max_bytes: int, within: timedelta
) -> bytes:
    """Return the body of a 200 answer to GET `url`.

    `within` bounds the whole answer, which httpx's own timeouts do not: they start again with
    every byte.

    Raises:
        FetchFailed: another status (a redirect too), too large, too slow, or not reachable.
        AddressRefused: from a guarded client only.

    """
    give_up = clock.monotonic_s() + within.total_seconds()
    content = bytearray()
    try:
        with client.stream("GET", url, headers=_PLAIN, follow_redirects=False) as response:
            if response.status_code != _OK:
                msg = f"{url} answered {response.status_code}"
                raise FetchFailed(msg)
            # Unpacking would let a few bytes become more than memory holds.
            if response.headers.get("Content-Encoding", "identity") != "identity":
                msg = f"{url} is compressed, which was not asked for"
                raise FetchFailed(msg)
            for part in response.iter_bytes():
                content += part
                if len(content) > max_bytes:
                    msg = f"{url} is larger than {max_bytes} bytes"
                    raise FetchFailed(msg)
                if clock.monotonic_s() > give_up:
                    msg = f"{url} took longer than {within.total_seconds():.0f} s"
                    raise FetchFailed(msg)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        msg = f"{url} could not be read: {type(error).__name__}"
        raise FetchFailed(msg) from error
    return bytes(content)
