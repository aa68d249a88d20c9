"""Whom an app takes for its visitor, with a proxy in front and without."""

import socket

import pytest

from tests.subhosting.server import RunningSubhosting


@pytest.mark.parametrize(
    ("comes_from", "client"),
    [("127.0.0.2", "203.0.113.9"), ("127.0.0.1", "127.0.0.1")],
    ids=["a-trusted-proxy", "anybody"],
)
def test_only_a_trusted_proxy_says_who_the_visitor_is(
    impatient: RunningSubhosting, app: str, comes_from: str, client: str
) -> None:
    address = ("127.0.0.1", impatient.previews_port)
    with socket.create_connection(address, timeout=20, source_address=(comes_from, 0)) as visitor:
        visitor.sendall(
            f"GET /client HTTP/1.1\r\nHost: {app}\r\nConnection: close\r\n"
            "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Real-IP: 6.6.6.6\r\n\r\n".encode()
        )
        answer = visitor.makefile("rb").read()

    assert answer.endswith(b"\r\n\r\n" + client.encode())
