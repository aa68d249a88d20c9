"""An instance's connection reads an answer alike whether or not it came before."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typing_extensions import override

from bot.subhosting.host.http1 import Request
from bot.subhosting.host.live import LastWords
from bot.subhosting.host.plain import PlainHead
from bot.subhosting.host.static.answer import StaticAnswer
from bot.subhosting.host.upstream import Upstream
from bot.subhosting.store.records import BindingRecord

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n"
ANSWER = HEAD + b"\r\nhello"
FOR_VISITOR = HEAD + b"x-robots-tag: noindex\r\nx-preview-sha: abc\r\n\r\n"


class Wire(asyncio.Transport):
    """What an instance is sent, and whether the connection was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.dropped = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    @override
    def is_closing(self) -> bool:
        return self.dropped

    @override
    def abort(self) -> None:
        self.dropped = True


@dataclass
class Reader:
    """A visitor that writes down what it hears."""

    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def answered(self, head: PlainHead, for_visitor: bytes, body: bytes) -> None:
        assert head.length == len(body)
        self.heard.append(("whole", for_visitor + body))

    def answer_began(self, status: int, head: bytes) -> None:
        self.heard.append((f"began {status}", head))

    def answer_continued(self, content: bytes) -> None:
        self.heard.append(("continued", content))

    def answer_ended(self, content: bytes, *, reusable: bool) -> None:
        self.heard.append(("ended, to use again" if reusable else "ended", content))

    def upgraded(self, first: bytes) -> None:
        self.heard.append(("upgraded", first))

    def upstream_lost(self, _upstream: Upstream | StaticAnswer) -> None:
        self.heard.append(("lost", b""))

    def pause(self, *, paused: bool) -> None:
        self.heard.append(("paused" if paused else "resumed", b""))


@dataclass
class Ready:
    """An instance that takes requests."""

    socket: Path = Path("/nowhere")
    draining: bool = False

    def begin_request(self) -> None:
        """Count nothing."""

    def end_request(self) -> None:
        """Count nothing."""

    async def last_words(self, _within_s: float) -> LastWords:
        return LastWords(ending=None)


class Asked:
    """A connection to an instance, and both its ends."""

    def __init__(self) -> None:
        binding = BindingRecord(
            host="a.localhost", deployment_id="d", revision="abc", request_timeout=None
        )
        self.visitor, self.wire = Reader(), Wire()
        self.upstream = Upstream(Ready(), binding, self.visitor)
        self.upstream.connection_made(self.wire)

    def said(self, *pieces: bytes, method: bytes = b"GET") -> list[tuple[str, bytes]]:
        """Return what the visitor hears when the instance answers a request with `pieces`."""
        self.visitor.heard = []
        request = Request()
        request.method, request.target, request.complete = method, b"/", True
        self.upstream.send(request, b"head")
        for piece in pieces:
            self.upstream.data_received(piece)
        return self.visitor.heard


def test_an_answer_that_is_said_again_is_heard_again() -> None:
    asked = Asked()

    assert asked.said(ANSWER) == [("whole", FOR_VISITOR + b"hello")]
    assert asked.said(HEAD + b"\r\nworld") == [("whole", FOR_VISITOR + b"world")]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((ANSWER[:-1], b"o"), id="cut in its body"),
        pytest.param((ANSWER[:20], ANSWER[20:]), id="cut in its head"),
        pytest.param((ANSWER.replace(b"5", b"4"),), id="longer than it says"),
        pytest.param((ANSWER.replace(b"5", b"6"), b"!"), id="with another length"),
        pytest.param((ANSWER + b"more",), id="with something behind it"),
        pytest.param((HEAD + b"x-preview-sha: def\r\n\r\nhello",), id="with a field of ours"),
        pytest.param((HEAD + b"connection: close\r\n\r\nhello",), id="the last one"),
        pytest.param((b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER), id="after an interim one"),
        pytest.param((ANSWER.replace(b"200", b"404"),), id="with another status"),
        pytest.param((b"nonsense\r\n\r\n",), id="no answer"),
    ],
)
def test_another_answer_is_heard_as_if_it_were_the_first(pieces: tuple[bytes, ...]) -> None:
    first = Asked().said(*pieces)

    asked = Asked()
    asked.said(ANSWER)

    assert asked.said(*pieces) == first


def test_the_same_head_has_no_body_in_an_answer_to_head() -> None:
    asked = Asked()
    asked.said(ANSWER)

    assert asked.said(HEAD + b"\r\n", method=b"HEAD") == [
        ("began 200", HEAD[:-2]),
        ("ended, to use again", b""),
    ]
    assert asked.said(ANSWER) == [("whole", FOR_VISITOR + b"hello")]


def test_an_answer_without_a_question_ends_the_connection() -> None:
    asked = Asked()
    asked.said(ANSWER)
    asked.visitor.heard = []

    asked.upstream.data_received(ANSWER)

    assert asked.visitor.heard == []
    assert asked.wire.dropped
