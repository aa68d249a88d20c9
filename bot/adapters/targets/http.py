"""One long-lived HTTP client per platform: authentication, repeats, limits, translated errors."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from bot.adapters.targets import errors
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.kernel.clock import Clock

T = TypeVar("T")

# A create of a large app streams for long, but never stands still for this long; build logs of a
# running build may wait for its end.
IDLE_LIMIT_S = 60.0
CONNECT_LIMIT_S = 5.0

# A file as the platform holds it; its own limit of one.
MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024

# Lists of hashes for 100,000 files are 4.3 MB; build logs are the largest answers.
MAX_ANSWER_BYTES = 32 * 1024 * 1024

# Waits before the second and the third try. Longer troubles are the pipeline's to wait for.
RETRY_WAITS = (timedelta(milliseconds=100), timedelta(milliseconds=500))
LONGEST_RETRY_AFTER = timedelta(seconds=2)

# Our server keeps idle connections for 75 s. gunicorn's default is 2 s, and a reuse at that very
# moment is a ReadError (3 of 360, measured): with a stranger we close first.
KEEPALIVE_OURS = timedelta(seconds=60)
KEEPALIVE_UNKNOWN = timedelta(seconds=1)

# A body up to this size is made before it is sent, so that it goes out with its length.
WHOLE_BODY_BYTES = 1024 * 1024
PIECE_BYTES = 256 * 1024

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout)

BodyMaker = Callable[[], Iterator[bytes]]


@dataclass(slots=True)
class Meter:
    """Counts the bytes of request bodies that went out."""

    sent_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; `repeatable` when sending it twice does no harm."""

    method: str
    url: str  # relative to the API's base, or absolute
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: BodyMaker | None = None  # JSON; called anew for every try
    repeatable: bool = True


class Api:
    """A platform's HTTP API."""

    def __init__(
        self, name: str, base_url: str, token: str, *, keepalive: timedelta, clock: Clock
    ) -> None:
        self.name = name
        self._clock = clock
        self._client = httpx.Client(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "User-Agent": "previewbot",
            },
            timeout=httpx.Timeout(IDLE_LIMIT_S, connect=CONNECT_LIMIT_S),
            limits=httpx.Limits(keepalive_expiry=keepalive.total_seconds()),
            follow_redirects=False,  # the token stays with the host it was configured for
            trust_env=False,  # nobody but settings reads the environment
            verify=_verification(base_url),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def ask(self, call: Call, answer: type[T], meter: Meter | None = None) -> T:
        """Send `call`, repeated if it may be, and return its answer as the wire model.

        Raises:
            TargetUnavailable: try again later.
            TargetRefused: it was understood and refused, or the answer was not understood.

        """
        response = self._sent(call, meter or Meter())
        try:
            return TypeAdapter(answer).validate_json(response.content)
        except ValidationError as error:
            raise self._not_understood(call, response.status_code, error) from error

    def ask_page(self, call: Call, answer: type[T]) -> tuple[T, Call | None]:
        """Send `call` for a page of a list, and return it with the call for the next one.

        v2 names that by `Link` with rel="next", live with another host of Deno's own than was
        asked: its cursor is taken, and the host stays.

        Raises:
            TargetUnavailable: try again later.
            TargetRefused: it was understood and refused, or the answer was not understood.

        """
        response = self._sent(call, Meter())
        try:
            page = TypeAdapter(answer).validate_json(response.content)
        except ValidationError as error:
            raise self._not_understood(call, response.status_code, error) from error
        following = response.links.get("next", {}).get("url")
        cursor = None if following is None else httpx.URL(following).params.get("cursor")
        if cursor is None:
            return page, None
        return page, replace(call, params={**call.params, "cursor": cursor})

    def ask_lines(self, call: Call, answer: type[T]) -> list[T]:
        """Send `call` and return its answer of JSON lines, each as the wire model.

        Raises:
            TargetUnavailable: try again later.
            TargetRefused: it was understood and refused, or the answer was not understood.

        """
        response = self._sent(call, Meter())
        lines = [line for line in response.content.split(b"\n") if line.strip()]
        reader = TypeAdapter(answer)
        try:
            return [reader.validate_json(line) for line in lines]
        except ValidationError as error:
            raise self._not_understood(call, response.status_code, error) from error

    def download(self, call: Call) -> bytes:
        """Send `call` and return its answer as it is, up to `MAX_DOWNLOAD_BYTES`.

        Raises:
            TargetUnavailable: try again later.
            TargetRefused: it was understood and refused, or the answer is longer.

        """
        return self._sent(call, Meter(), MAX_DOWNLOAD_BYTES).content

    @contextmanager
    def stream(self, call: Call, *, silence: timedelta) -> Iterator["Stream"]:
        """Send `call`, and read its answer as it comes until the end of the block.

        Raises:
            TargetUnavailable: also within the block: it broke off, or nothing came for `silence`.
            TargetRefused: it was understood and refused.

        """
        request = self._request(call, Meter())
        limits = httpx.Timeout(silence.total_seconds(), connect=CONNECT_LIMIT_S)
        request.extensions["timeout"] = limits.as_dict()
        try:
            response = self._client.send(request, stream=True)
            try:
                if not response.is_success:
                    raise self._refusal(response, self._read(response, MAX_ANSWER_BYTES))
                yield Stream(self.name, response)
            finally:
                response.close()
        except httpx.RequestError as error:
            raise errors.unavailable(self.name, error) from error

    def tell(self, call: Call) -> None:
        """Send `call`, repeated if it may be; its answer's body is of no interest.

        Raises:
            TargetUnavailable: try again later.
            TargetRefused: it was understood and refused.

        """
        self._sent(call, Meter())

    def _not_understood(self, call: Call, status: int, error: ValidationError) -> TargetRefused:
        problem = f"{call.method}: {error.error_count()} fields are wrong"
        return errors.not_understood(self.name, status=status, problem=problem)

    def _sent(self, call: Call, meter: Meter, max_bytes: int = MAX_ANSWER_BYTES) -> httpx.Response:
        for wait in RETRY_WAITS:
            try:
                return self._sent_once(call, meter, max_bytes)
            except TargetUnavailable as error:
                never_left = isinstance(error.__cause__, _NEVER_LEFT)
                asked_for = error.retry_after or wait
                if asked_for > LONGEST_RETRY_AFTER or not (call.repeatable or never_left):
                    raise
                self._clock.sleep(max(wait, asked_for))
        return self._sent_once(call, meter, max_bytes)

    def _sent_once(self, call: Call, meter: Meter, max_bytes: int) -> httpx.Response:
        request = self._request(call, meter)
        try:
            response = self._client.send(request, stream=True)
            try:
                content = self._read(response, max_bytes)
            finally:
                response.close()
        except httpx.RequestError as error:
            raise errors.unavailable(self.name, error) from error
        if not response.is_success:
            raise self._refusal(response, content)
        # The content is decoded; of the head only this is of interest.
        link = response.headers.get("Link")
        headers = {} if link is None else {"Link": link}
        return httpx.Response(response.status_code, headers=headers, content=content)

    def _refusal(
        self, response: httpx.Response, content: bytes
    ) -> TargetRefused | TargetUnavailable:
        return errors.refusal(
            self.name,
            status=response.status_code,
            body=content,
            retry_after=response.headers.get("Retry-After"),
        )

    def _read(self, response: httpx.Response, max_bytes: int) -> bytes:
        received = bytearray()
        for piece in response.iter_bytes():
            received += piece
            if len(received) > max_bytes:
                raise errors.not_understood(
                    self.name,
                    status=response.status_code,
                    problem=f"more than {max_bytes} bytes",
                )
        return bytes(received)

    def _request(self, call: Call, meter: Meter) -> httpx.Request:
        headers = dict(call.headers)
        content: Iterator[bytes] | None = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            first, rest = _start(_pieces(call.body()))
            if rest is None:
                headers["Content-Length"] = str(len(first))
            content = _counted(first, rest, meter)
        params = dict(call.params) or None
        return self._client.build_request(
            call.method, call.url, params=params, headers=headers, content=content
        )


class Stream:
    """An answer that is read as it comes."""

    def __init__(self, target: str, response: httpx.Response) -> None:
        self._target = target
        self._response = response
        self.content_type: str = response.headers.get("Content-Type", "")

    def lines(self, most_bytes: int) -> Iterator[bytes]:
        """Yield line by line, without its end; what the stream's end cuts short is left out.

        Raises:
            TargetRefused: a line has more than `most_bytes`.

        """
        rest = b""
        for piece in self._response.iter_bytes():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line.removesuffix(b"\r")
            if len(rest) > most_bytes:
                raise errors.not_understood(
                    self._target,
                    status=self._response.status_code,
                    problem=f"a line of more than {most_bytes} bytes",
                )

    def interrupt(self) -> None:
        """End the stream from another thread: its reader finds it broken off."""
        network = self._response.extensions.get("network_stream")
        found = None if network is None else network.get_extra_info("socket")
        if isinstance(found, socket.socket):
            with suppress(OSError):  # it may have ended at this very moment
                # Not the TLS socket's own way, which takes the state from under its reader.
                socket.socket.shutdown(found, socket.SHUT_RDWR)


def _verification(base_url: str) -> ssl.SSLContext | bool:
    """Return how to check the server; loading the authorities takes 20 ms, so only for https.

    Without https the context knows no authority at all: were it ever used, it would refuse.
    """
    return True if base_url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _pieces(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Join small parts, so that ten thousand files are not ten thousand writes."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _start(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """Return the body's beginning, and what follows; None when that was all."""
    first = bytearray()
    for piece in pieces:
        first += piece
        if len(first) > WHOLE_BODY_BYTES:
            return bytes(first), pieces
    return bytes(first), None


def _counted(first: bytes, rest: Iterator[bytes] | None, meter: Meter) -> Iterator[bytes]:
    meter.sent_bytes += len(first)
    yield first
    for piece in rest or ():
        meter.sent_bytes += len(piece)
        yield piece
