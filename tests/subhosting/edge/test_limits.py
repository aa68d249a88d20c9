"""Slow, long, many and absent: nothing is held for those who do not come to an end."""

import pytest

from tests.subhosting.edge.wire import (
    MIB,
    echoing_sockets,
    forget_peak,
    leave_at_every_stage,
    nothing_leaks,
    peak_rss_bytes,
    upload,
)
from tests.subhosting.server import RunningSubhosting, wait_until


@pytest.mark.parametrize(
    "begin", [b"", b"G", b"GET / HTTP/1.1\r\nHost: "], ids=["nothing", "a-byte", "half-a-head"]
)
def test_a_head_that_does_not_end_in_time_ends_the_connection(
    impatient: RunningSubhosting, app: str, begin: bytes
) -> None:
    with nothing_leaks(impatient, app), impatient.connect() as connection:
        connection.sendall(begin)
        received = connection.makefile("rb").read()

    assert received == b"" or received.startswith(b"HTTP/1.1 408 ")


def test_a_byte_now_and_then_wins_no_time(impatient: RunningSubhosting, app: str) -> None:
    sent = 0
    with nothing_leaks(impatient, app), impatient.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        connection.settimeout(0.05)
        received = b""

        def drips() -> bool:
            nonlocal sent, received
            try:
                connection.sendall(b"x")
                sent += 1
                received = connection.recv(100)
            except TimeoutError:
                return False
            except ConnectionError:
                return True
            return True

        wait_until(drips, "the end of patience", within_s=10)

    assert received.startswith(b"HTTP/1.1 408 ")
    assert 1 < sent < 100


def test_a_slow_second_request_ends_a_kept_connection(
    impatient: RunningSubhosting, app: str
) -> None:
    with impatient.connect() as connection, connection.makefile("rb") as answers:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {app}\r\n\r\n".encode())
        while answers.readline().strip():
            pass
        assert answers.read(5) == b"hello"
        connection.sendall(b"GET / HT")
        assert answers.read().startswith(b"HTTP/1.1 408 ")


def test_an_upload_passes_through_without_filling_the_memory(
    impatient: RunningSubhosting, app: str
) -> None:
    with nothing_leaks(impatient, app):
        forget_peak(impatient)
        before = peak_rss_bytes(impatient)

        answer = upload(impatient, app, 64 * MIB)

        assert answer == str(64 * MIB).encode()
        assert peak_rss_bytes(impatient) - before < 16 * MIB


@pytest.mark.parametrize(
    "begin", [b"0\r\nX: ", b"0\r\n", b"3\r\nabc\r\n3;"], ids=["trailer", "name", "extension"]
)
def test_what_frames_a_body_fills_no_memory_either(
    impatient: RunningSubhosting, app: str, begin: bytes
) -> None:
    head = f"POST /upload HTTP/1.1\r\nHost: {app}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with nothing_leaks(impatient, app):
        forget_peak(impatient)
        before = peak_rss_bytes(impatient)
        with impatient.connect() as connection:
            connection.sendall(head + begin + b"x" * 16 * MIB)
            received = connection.recv(100)

        assert received.startswith(b"HTTP/1.1 431 ")
        assert peak_rss_bytes(impatient) - before < 4 * MIB


def test_a_body_of_tiny_chunks_is_mostly_framing_and_passes(
    impatient: RunningSubhosting, app: str
) -> None:
    head = f"POST /upload HTTP/1.1\r\nHost: {app}\r\nTransfer-Encoding: chunked\r\n"
    with impatient.connect() as connection, connection.makefile("rb") as answer:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        connection.sendall(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")

        assert answer.read().partition(b"\r\n\r\n")[2] == b"100000"


def test_many_websockets_are_open_at_once(impatient: RunningSubhosting, app: str) -> None:
    with nothing_leaks(impatient, app):
        assert echoing_sockets(impatient, app, 50) == 50


def test_visitors_who_leave_take_everything_along(impatient: RunningSubhosting, app: str) -> None:
    with nothing_leaks(impatient, app):
        leave_at_every_stage(impatient, app)
