"""A DNS server on loopback that knows what it was told; enough for TXT, CNAME, A and AAAA."""

import ipaddress
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

TYPES = {"A": 1, "CNAME": 5, "TXT": 16, "AAAA": 28}
NUMBERS = {number: name for name, number in TYPES.items()}
NO_ERROR, NO_SUCH_NAME = 0, 3


class Nameserver(socketserver.ThreadingUDPServer):
    """Answers for every name in `records`; everything else does not exist."""

    records: dict[tuple[str, str], list[str]]

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def publish(self, name: str, kind: str, value: str) -> None:
        self.records.setdefault((canonical(name), kind), []).append(value)


class Handler(socketserver.BaseRequestHandler):
    server: Nameserver  # type: ignore[mutable-override]

    @override
    def handle(self) -> None:
        query, reply_to = self.request
        name, end = read_name(query, 12)
        kind = NUMBERS.get(struct.unpack("!H", query[end : end + 2])[0], "")
        records = self.server.records
        values = records.get((name, kind), [])
        # An alias answers whatever was asked about its name.
        aliases = [] if values else records.get((name, "CNAME"), [])
        answers = [record(kind, value) for value in values]
        answers += [record("CNAME", value) for value in aliases]
        known = any(name == each for each, _ in records)
        flags = 0x8580 | (NO_ERROR if known else NO_SUCH_NAME)
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(answers), 0, 0)
        reply_to.sendto(head + query[12 : end + 4] + b"".join(answers), self.client_address)


def canonical(name: str) -> str:
    return name.rstrip(".").lower()


def read_name(message: bytes, start: int) -> tuple[str, int]:
    labels = []
    while length := message[start]:
        labels.append(message[start + 1 : start + 1 + length].decode())
        start += 1 + length
    return canonical(".".join(labels)), start + 1


def written_name(name: str) -> bytes:
    labels = canonical(name).encode().split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(kind: str, value: str) -> bytes:
    if kind == "CNAME":
        content = written_name(value)
    elif kind == "TXT":
        content = bytes([len(value.encode())]) + value.encode()
    else:
        content = ipaddress.ip_address(value).packed
    # 0xC00C points at the question's name; a lifetime of zero keeps resolvers from remembering.
    return struct.pack("!HHHIH", 0xC00C, TYPES[kind], 1, 0, len(content)) + content


@contextmanager
def nameserver() -> Iterator[Nameserver]:
    """Serve an empty zone."""
    with Nameserver(("127.0.0.1", 0), Handler) as server:
        server.records = {}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
