"""One long-lived HTTP client per platform: authentication, repeats, limits, translated errors."""

import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from bot.adapters.targets import compression, errors
from bot.adapters.targets.compression import Coding
from bot.adapters.targets.incoming import Stream
from bot.adapters.targets.outgoing import BeginAgain, BodyMaker, Meter, outgoing
from bot.core.model.errors import SourceUnavailable, TargetRefused, TargetUnavailable
from bot.kernel.clock import Clock
from bot.kernel.contents import Content
from bot.kernel.spool import gathered

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

_LENGTH_REQUIRED, _UNSUPPORTED_MEDIA_TYPE = 411, 415

_READERS: dict[object, TypeAdapter[Any]] = {}

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout)


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
        self.compresses = compression.is_worth_it(base_url)
        self._clock = clock
        self._coding: Coding | None = None  # the best that the platform said it takes
        self._wants_length = False
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
            return _reader(answer).validate_json(response.content)
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
            page = _reader(answer).validate_json(response.content)
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
        reader = _reader(answer)
        try:
            return [reader.validate_json(line) for line in lines]
        except ValidationError as error:
            raise self._not_understood(call, response.status_code, error) from error

    def download(self, call: Call) -> Content:
        """Send `call` and return its answer as it is, up to `MAX_DOWNLOAD_BYTES`.

        A large one is not in memory, and the caller's to close.

        Raises:
            TargetUnavailable: try again later.
            TargetRefused: it was understood and refused, or the answer is longer.
            SourceUnavailable: there is no room for it.

        """
        return self._patiently(call, lambda: self._downloaded(call))

    @contextmanager
    def stream(self, call: Call, *, silence: timedelta) -> Iterator[Stream]:
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
                    raise self._refusal(response, self._read(response))
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

    def _sent(self, call: Call, meter: Meter) -> httpx.Response:
        return self._patiently(call, lambda: self._sent_once(call, meter))

    def _downloaded(self, call: Call) -> Content:
        with self.stream(call, silence=timedelta(seconds=IDLE_LIMIT_S)) as stream:
            return gathered(stream.pieces(MAX_DOWNLOAD_BYTES), self._no_room)

    def _no_room(self, error: OSError) -> SourceUnavailable:
        problem = f"{tempfile.gettempdir()} has no room for a file of {self.name}"
        return SourceUnavailable(f"{problem}: {error.strerror}")

    def _patiently(self, call: Call, do: Callable[[], T]) -> T:
        """Return what `do` returns, which sends `call`; a failure that may pass is tried again."""
        for wait in RETRY_WAITS:
            try:
                return do()
            except TargetUnavailable as error:
                never_left = isinstance(error.__cause__, _NEVER_LEFT)
                asked_for = error.retry_after or wait
                if asked_for > LONGEST_RETRY_AFTER or not (call.repeatable or never_left):
                    raise
                self._clock.sleep(max(wait, asked_for))
        return do()

    def _sent_once(self, call: Call, meter: Meter) -> httpx.Response:
        """Send a body as the platform wants it, which may be learnt by sending it otherwise."""
        while True:
            try:
                return self._sent_as_it_is(call, meter)
            except BeginAgain:  # the request was cut off, and nobody has acted on it
                continue
            except TargetRefused as refusal:
                if call.body is None or not self._learnt(refusal.status):
                    raise

    def _learnt(self, status: int) -> bool:
        """Tell whether a refusal is about how the body was sent, and another way is left."""
        if status == _UNSUPPORTED_MEDIA_TYPE and self._coding is not None:
            self._coding, self.compresses = None, False
            return True
        if status == _LENGTH_REQUIRED and not self._wants_length:
            self._wants_length = True
            return True
        return False

    def _sent_as_it_is(self, call: Call, meter: Meter) -> httpx.Response:
        request = self._request(call, meter)
        try:
            response = self._client.send(request, stream=True)
            try:
                self._listen(response)
                content = self._read(response)
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

    def _listen(self, response: httpx.Response) -> None:
        """Take in which codings the platform says that it takes."""
        accepted = response.headers.get("Accept-Encoding")
        if self.compresses and accepted is not None:
            self._coding = compression.best_of(accepted)

    def _refusal(
        self, response: httpx.Response, content: bytes
    ) -> TargetRefused | TargetUnavailable:
        return errors.refusal(
            self.name,
            status=response.status_code,
            body=content,
            retry_after=response.headers.get("Retry-After"),
        )

    def _read(self, response: httpx.Response) -> bytes:
        return b"".join(Stream(self.name, response).pieces(MAX_ANSWER_BYTES))

    def _request(self, call: Call, meter: Meter) -> httpx.Request:
        headers = dict(call.headers)
        content: Iterator[bytes] | None = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            body = outgoing(call.body, meter, coding=self._coding, measured=self._wants_length)
            if body.length is not None:
                headers["Content-Length"] = str(body.length)
            if body.coding is not None:
                headers["Content-Encoding"] = body.coding
            content = body.content
        params = dict(call.params) or None
        return self._client.build_request(
            call.method, call.url, params=params, headers=headers, content=content
        )


def _reader(answer: type[T]) -> TypeAdapter[T]:
    """Return what reads an answer; making one takes as long as reading thousands."""
    reader: TypeAdapter[T] | None = _READERS.get(answer)
    if reader is None:
        reader = _READERS[answer] = TypeAdapter(answer)
    return reader


def _verification(base_url: str) -> ssl.SSLContext | bool:
    """Return how to check the server; loading the authorities takes 20 ms, so only for https.

    Without https the context knows no authority at all: were it ever used, it would refuse.
    """
    return True if base_url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
