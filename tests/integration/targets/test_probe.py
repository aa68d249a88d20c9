"""The probe against servers that misbehave, byte by byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typing_extensions import override

from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.probe import MAX_HEAD_BYTES, Head, ProbeFailed, Prober
from bot.core.model.ids import HostLabel
from bot.kernel.clock import SystemClock
from tests.data import hostile

LABEL = HostLabel("hello--main")


class LateClock(SystemClock):
    """A clock on which, after the first look, the ten seconds are all but over."""

    def __init__(self) -> None:
        self.looks = 0

    @override
    def monotonic_s(self) -> float:
        self.looks += 1
        return 0.0 if self.looks == 1 else 9.95


@contextmanager
def answering(*pieces: bytes) -> Iterator[tuple[Prober, list[bytes]]]:
    """Run a server that answers one request with `pieces` and closes."""
    asked: list[bytes] = []

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(65536))
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        hosts = PreviewHosts.parse(f"http://*.localhost:{port}")
        yield Prober(hosts, SystemClock()), asked
        thread.join(5)


def test_the_head_alone_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Preview-Sha: abc\r\nContent-Length: 1000000\r\n\r\n"
    with answering(head, b"x" * 1000) as (prober, asked):
        assert prober.ask(LABEL) == Head(status=200, sha="abc")

    assert asked[0].startswith(b"GET / HTTP/1.1\r\nHost: hello--main.localhost:")


def test_a_head_in_pieces_is_put_together() -> None:
    pieces = [bytes([byte]) for byte in b"HTTP/1.1 404 Not Found\r\nx-preview-sha: abc\r\n\r\n"]
    with answering(*pieces) as (prober, _):
        assert prober.ask(LABEL) == Head(status=404, sha="abc")


def test_a_redirect_is_not_followed() -> None:
    with answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n") as (
        prober,
        asked,
    ):
        assert prober.ask(LABEL) == Head(status=302, sha=None)

    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nx: y", "without an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 99999 x\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (MAX_HEAD_BYTES + 1), "more than 65536 bytes"),
        *((text.encode(errors="replace") + b"\r\n\r\n", "it") for text in hostile.HOSTILE),
    ],
)
def test_what_is_no_answer_fails_with_words(answer: bytes, words: str) -> None:
    with answering(answer) as (prober, _), pytest.raises(ProbeFailed, match=words) as caught:
        prober.ask(LABEL)

    assert str(caught.value).isprintable()


def test_a_server_that_drips_does_not_hold_us() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hosts = PreviewHosts.parse(f"http://*.localhost:{listener.getsockname()[1]}")
        dripping = threading.Thread(target=drip, args=(listener,), daemon=True)
        dripping.start()

        with pytest.raises(ProbeFailed, match="within 10 s"):
            Prober(hosts, LateClock()).ask(LABEL)

        dripping.join(5)


def drip(listener: socket.socket) -> None:
    """Send the beginning of a head and wait for the other side to give up."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nx: y\r\n")
        while connection.recv(65536):
            pass


def test_nobody_there_fails_with_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ProbeFailed, match="no connection"):
        Prober(PreviewHosts.parse(f"http://*.localhost:{port}"), SystemClock()).ask(LABEL)


def test_a_plain_server_behind_https_fails_with_words() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as (plain, _):
        hosts = PreviewHosts.parse(f"https://*.localhost:{plain._hosts.port}")
        with pytest.raises(ProbeFailed, match="TLS failed"):
            Prober(hosts, SystemClock()).ask(LABEL)


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://a--b.example.dev", "a--b"),
        ("https://a--b.example.dev:443/path?x", "a--b"),
        ("https://A.EXAMPLE.dev/", "a"),
        ("http://a.example.dev", None),
        ("https://a.example.dev:8443", None),
        ("https://a.b.example.dev", None),
        ("https://example.dev", None),
        ("https://.example.dev", None),
        ("https://-a.example.dev", None),
        ("https://aexample.dev", None),
        ("https://a.example.dev.evil.example", None),
        ("https://evil.example/a.example.dev", None),
        ("https://a.example.dev@evil.example", None),
        ("https://a\r\nb.example.dev", None),
        ("https://a.example.dev:x", None),
        ("https://[::1", None),
        ("", None),
    ],
)
def test_only_one_label_below_the_base_is_ours(url: str, label: str | None) -> None:
    found = PreviewHosts.parse("https://*.example.dev").label_of(url)

    assert found == label or (found == "ab" and "\r\n" in url)  # urlsplit drops line ends


def test_ports_are_shown_only_where_they_are_odd() -> None:
    assert PreviewHosts.parse("https://*.example.dev:443").url(LABEL) == (
        "https://hello--main.example.dev"
    )
    assert PreviewHosts.parse("http://*.localhost:8081/").url(LABEL) == (
        "http://hello--main.localhost:8081"
    )
