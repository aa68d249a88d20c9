"""How much of what is no body the reading half holds, whatever the pieces it comes in."""

from dataclasses import dataclass, field

import pytest

from bot.subhosting.host.http1 import MAX_HEAD_BYTES, Request
from bot.subhosting.host.pages import Refusal
from bot.subhosting.host.reading import RequestReading

HEAD = b"POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECE = b"x" * 1000


@dataclass
class Told:
    """Remembers what it hears."""

    began: list[Request] = field(default_factory=list)
    completed: list[Request] = field(default_factory=list)
    broke: list[tuple[Request, int]] = field(default_factory=list)

    def request_began(self, request: Request) -> None:
        self.began.append(request)

    def request_completed(self, request: Request) -> None:
        self.completed.append(request)

    def body_broke(self, request: Request, refusal: Refusal) -> None:
        self.broke.append((request, refusal.status))


@pytest.mark.parametrize(
    "begin", [b"0\r\nX: ", b"0\r\n", b"3\r\nabc\r\n0\r\nX: ", b"3;"],
    ids=["trailer", "its-name", "after-a-body", "extension"],
)  # fmt: skip
def test_framing_is_refused_as_soon_as_it_is_longer_than_a_head(begin: bytes) -> None:
    told = Told()
    reading = RequestReading(told)
    reading.feed(HEAD + begin)
    pieces = 0

    while not told.broke and pieces < 1000:
        reading.feed(PIECE)
        pieces += 1

    assert told.broke == [(told.began[0], 431)]
    assert pieces == MAX_HEAD_BYTES // len(PIECE) + 1
    assert reading.ended


def test_framing_between_bytes_of_a_body_is_never_added_up() -> None:
    told = Told()
    reading = RequestReading(told)
    reading.feed(HEAD)

    for _ in range(MAX_HEAD_BYTES):
        for part in (b"1;", b"x\r", b"\ny\r\n"):
            reading.feed(part)
    reading.feed(b"0\r\n\r\n")

    assert told.broke == []
    assert told.completed == told.began
    assert told.began[0].waiting_bytes == MAX_HEAD_BYTES


def test_each_request_of_a_connection_begins_anew() -> None:
    told = Told()
    reading = RequestReading(told)
    trailer = b"0\r\nX: %b\r\n\r\n" % (b"x" * (MAX_HEAD_BYTES // 2))

    for _ in range(4):
        reading.feed(HEAD)
        for at in range(0, len(trailer), 1000):
            reading.feed(trailer[at : at + 1000])

    assert told.broke == []
    assert len(told.completed) == 4
