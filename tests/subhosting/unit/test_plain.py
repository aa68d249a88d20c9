"""What the quick reading accepts, the parser accepts and reads alike."""

from dataclasses import dataclass, field

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.subhosting.host.http1 import Request
from bot.subhosting.host.plain import PlainRequests, plain_answer, plain_request

REQUEST = b"GET /a?b HTTP/1.1\r\nHost: One.localhost:80\r\nAccept: */*\r\nX-Y:z \r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\nx: y\r\n\r\nhello"

ODDITIES = [
    b"", b"\0", b"\n", b"\r", b"\r\n", b" ", b"\t", b":", b",", b"/", b"\x80", b"\x7f", b"0", b"a",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: two.localhost\r\n",
    b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Upgrade: h2c\r\n", b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n", b"X-Forwarded-For: 6.6.6.6\r\n", b"Expect: 100-continue\r\n",
]  # fmt: skip


@dataclass
class Parsed:
    """What the parser says of a message."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    target: bytes = b""
    complete: int = 0
    kept_open: bool = False
    parser: httptools.HttpRequestParser | httptools.HttpResponseParser | None = None

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, content: bytes) -> None:
        self.body += content

    def on_message_complete(self) -> None:
        self.complete += 1
        assert self.parser is not None
        self.kept_open = self.parser.should_keep_alive()


@st.composite
def changed(draw: st.DrawFn, whole: bytes) -> bytes:
    """Put a few oddities into a good message, or in the place of a part of it."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(whole)))
        skipped = draw(st.integers(0, 3))
        whole = whole[:at] + draw(st.sampled_from(ODDITIES)) + whole[at + skipped :]
    return whole


def fields_of(lines: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return [(name, value.strip(b" \t")) for name, _, value in pairs]


@given(changed(REQUEST))
@settings(max_examples=1500, deadline=None)
def test_a_plain_request_is_the_parser_s_request(received: bytes) -> None:
    found = plain_request(received)
    if found is None:
        return

    parsed = Parsed()
    parser = parsed.parser = httptools.HttpRequestParser(parsed)
    parser.feed_data(received)

    assert parsed.complete == 1
    assert (parser.get_method(), parsed.target) == (found.method, found.target)
    assert (parser.get_http_version(), parsed.kept_open) == ("1.1", True)
    sent = [each for each in parsed.headers if each[0].lower() != b"connection"]
    assert [(name, value.strip(b" \t")) for name, value in sent] == fields_of(b"".join(found.kept))
    request = Request()
    request.target = parsed.target
    request.noted = [(name.lower(), value) for name, value in sent if name.lower() == b"host"]
    assert request.inspect() is None
    assert request.hostname == found.hostname == found.hostname.lower()
    assert not found.has_body
    assert found.all_here


@given(changed(REQUEST))
@settings(max_examples=500, deadline=None)
def test_a_remembered_request_is_sent_on_as_one_that_is_read(received: bytes) -> None:
    read, known = plain_request(received), PlainRequests(b"https")

    found = [known.find(received), known.find(bytes(bytearray(received)))]

    assert found[0] is found[1]
    if read is None:
        assert found[0] is None
    else:
        assert found[0] is not None
        assert found[0].hostname == read.hostname
        assert found[0].head(b"https", b"1.2.3.4:5") == read.head(b"https", b"1.2.3.4:5")


def test_requests_are_remembered_up_to_a_number_and_a_size() -> None:
    known = PlainRequests(b"http")
    first = known.find(REQUEST)
    long = REQUEST.replace(b"X-Y:z", b"X-Y:" + b"z" * 2048)

    assert known.find(long) is not known.find(long)
    for number in range(600):
        known.find(REQUEST.replace(b"/a?b", b"/%d" % number))

    assert known.find(REQUEST) is not first
    assert known.find(REQUEST) is known.find(REQUEST)


@given(changed(ANSWER))
@settings(max_examples=1500, deadline=None)
def test_a_plain_answer_is_the_parser_s_answer(received: bytes) -> None:
    found = plain_answer(received)
    if found is None:
        return

    parsed = Parsed()
    parser = parsed.parser = httptools.HttpResponseParser(parsed)
    parser.feed_data(received)

    head, body = found
    assert parsed.complete == 1
    assert parser.get_status_code() == head.status
    assert parsed.body == body
    assert parsed.kept_open
    assert [(name, value.strip(b" \t")) for name, value in parsed.headers] == fields_of(
        head.content.partition(b"\r\n")[2]
    )


def test_the_usual_is_plain() -> None:
    request, answer = plain_request(REQUEST), plain_answer(ANSWER)
    assert request is not None
    assert answer is not None
    assert (request.hostname, request.target) == ("one.localhost", b"/a?b")
    assert answer[1] == b"hello"
    kept_open = REQUEST.replace(b"X-Y:z ", b"connection: Keep-Alive")
    opened = plain_request(kept_open)
    assert opened is not None
    assert opened.kept == [b"Host: One.localhost:80\r\nAccept: */*\r\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: 0", b"Transfer-Encoding: chunked", b"Connection: close", b"TE: trailers",
        b"Connection: keep-alive, X-Y", b"Upgrade: websocket", b"Expect: 100-continue",
        b"X-Forwarded-For: 6.6.6.6", b"Forwarded: for=6.6.6.6", b"X-Real-IP: 6.6.6.6",
        b"X-Deno-Client-Address: 6.6.6.6:6", b"x-preview-sha: 0", b"Host: two.localhost",
        b"Proxy-Authorization: x", b"Keep-Alive: timeout=5", b"Trailer: X", b" folded", b"X : y",
    ],
)  # fmt: skip
def test_what_decides_something_is_left_to_the_parser(line: bytes) -> None:
    assert plain_request(REQUEST.replace(b"X-Y:z ", line)) is None


@pytest.mark.parametrize(
    "line",
    [
        b"content-length: 5", b"Transfer-Encoding: chunked", b"Connection: close", b"TE: x",
        b"x-robots-tag: all",
        b"x-preview-sha: 0", b"Upgrade: h2c", b"Trailer: X", b"Keep-Alive: x", b" folded",
    ],
)  # fmt: skip
def test_an_answer_that_must_be_changed_is_left_to_the_parser(line: bytes) -> None:
    assert plain_answer(ANSWER.replace(b"x: y", line)) is None


@pytest.mark.parametrize("body", [b"hell", b"hello!", b""])
def test_an_answer_that_is_not_whole_is_left_to_the_parser(body: bytes) -> None:
    assert plain_answer(ANSWER.replace(b"hello", body)) is None
