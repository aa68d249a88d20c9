"""Documents of others: bounded in size and time."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from bot.subhosting.trust.fetching import FetchFailed, fetch
from tests.fakes.clock import FakeClock

URL = "https://a.test/x"


def got(response: httpx.Response, clock: FakeClock | None = None) -> bytes:
    with httpx.Client(transport=httpx.MockTransport(lambda _request: response)) as client:
        return fetch(client, URL, clock or FakeClock(), max_bytes=10, within=timedelta(seconds=5))


def test_a_document_of_exactly_the_limit_is_fine() -> None:
    assert got(httpx.Response(200, content=b"x" * 10)) == b"x" * 10


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(200, content=b"x" * 11), "larger than 10 bytes"),
        (httpx.Response(404), "answered 404"),
        (httpx.Response(302, headers={"Location": "https://b.test"}), "answered 302"),
        (
            httpx.Response(
                200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"")
            ),
            "compressed",
        ),
    ],
)
def test_anything_else_is_a_failure(response: httpx.Response, message: str) -> None:
    with pytest.raises(FetchFailed, match=message):
        got(response)


def test_a_server_that_drips_is_left() -> None:
    clock = FakeClock()

    def drip() -> Iterator[bytes]:
        for _ in range(9):
            clock.move(timedelta(seconds=1))
            yield b"x"

    with pytest.raises(FetchFailed, match="longer than 5 s"):
        got(httpx.Response(200, content=drip()), clock)


def test_a_server_that_is_away_is_a_failure() -> None:
    def away(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    with (
        httpx.Client(transport=httpx.MockTransport(away)) as client,
        pytest.raises(FetchFailed, match="ConnectError"),
    ):
        fetch(client, URL, FakeClock(), max_bytes=10, within=timedelta(seconds=5))
