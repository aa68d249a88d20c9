"""One question to a preview: do you answer, and for which commit? Within a strict time.

Not httpx: its timeouts are per read, and an app that sends one header byte now and then would
hold the caller for hours. Only the head of the answer is read, so nothing is decoded either.
"""

import http.client
import io
import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta

from bot.adapters.targets.previews import PreviewHosts
from bot.core.model.ids import HostLabel
from bot.kernel.clock import Clock

TIME_LIMIT = timedelta(seconds=10)
MAX_HEAD_BYTES = 64 * 1024

_HEAD_END = (b"\r\n\r\n", b"\n\n")


class ProbeFailed(Exception):  # noqa: N818 - reads as a sentence in `except`
    """There was no answer; the message says how it showed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The part of an answer that the probe looks at."""

    status: int
    sha: str | None  # x-preview-sha


class Prober:
    """Asks the hosts of one platform, and no others."""

    def __init__(self, hosts: PreviewHosts, clock: Clock) -> None:
        self._hosts = hosts
        self._clock = clock
        self._tls: ssl.SSLContext | None = None

    def ask(self, label: HostLabel) -> Head:
        """Return the head of `GET /` on `label`'s host; redirects are not followed.

        Raises:
            ProbeFailed: no complete head within `TIME_LIMIT` and `MAX_HEAD_BYTES`.

        """
        deadline_s = self._clock.monotonic_s() + TIME_LIMIT.total_seconds()
        try:
            with self._connection(label) as connection:
                connection.settimeout(self._left_s(deadline_s))
                connection.sendall(_request(self._hosts.authority(label)))
                return _parsed(self._received(connection, deadline_s))
        except TimeoutError as error:
            msg = f"no answer within {TIME_LIMIT.total_seconds():.0f} s"
            raise ProbeFailed(msg) from error
        except ssl.SSLError as error:
            msg = f"TLS failed: {error.reason or error}"
            raise ProbeFailed(msg) from error
        except OSError as error:
            msg = f"no connection: {error.strerror or error}"
            raise ProbeFailed(msg) from error

    def _connection(self, label: HostLabel) -> socket.socket:
        name = self._hosts.host(label)
        # Browsers take every name below localhost for this machine; Python's resolver does not.
        host = "127.0.0.1" if self._hosts.is_local else name
        plain = socket.create_connection((host, self._hosts.port), TIME_LIMIT.total_seconds())
        if self._hosts.scheme == "http":
            return plain
        if self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            return self._tls.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def _received(self, connection: socket.socket, deadline_s: float) -> bytes:
        received = bytearray()
        while True:
            connection.settimeout(self._left_s(deadline_s))
            piece = connection.recv(MAX_HEAD_BYTES)
            if not piece:
                msg = "it closed the connection without an answer"
                raise ProbeFailed(msg)
            start = max(0, len(received) - len(_HEAD_END[0]))
            received += piece
            if any(received.find(end, start) >= 0 for end in _HEAD_END):
                return bytes(received)
            if len(received) > MAX_HEAD_BYTES:
                msg = f"its answer starts with more than {MAX_HEAD_BYTES} bytes of headers"
                raise ProbeFailed(msg)

    def _left_s(self, deadline_s: float) -> float:
        left_s = deadline_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def _request(authority: str) -> bytes:
    return (
        f"GET / HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: previewbot-probe\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


class _Received:
    """What `http.client` wants of a socket, over bytes that are there already."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        """Return the bytes as a file."""
        return io.BytesIO(self._received)


def _parsed(received: bytes) -> Head:
    response = http.client.HTTPResponse(_Received(received), method="HEAD")  # type: ignore[arg-type]
    try:
        response.begin()
    except http.client.HTTPException as error:
        msg = "its answer is not HTTP"
        raise ProbeFailed(msg) from error
    return Head(status=response.status, sha=response.getheader("x-preview-sha"))
