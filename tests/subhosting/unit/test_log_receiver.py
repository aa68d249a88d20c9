"""The receiver of exports, spoken to by hand over real sockets."""

import asyncio
import contextlib
import socket
from pathlib import Path

from bot.kernel.clock import SystemClock
from bot.subhosting.host.app_log import AppLog
from bot.subhosting.host.log_receiver import LogExport, LogReceiver
from tests.subhosting.unit.test_otlp import NOON, export, record

LINES_PER_S = 1_000


def log_in(folder: Path, bytes_per_s: int = 10_000) -> AppLog:
    return AppLog(
        folder / "app.log",
        clock=SystemClock(),
        bytes_per_s=bytes_per_s,
        file_bytes=10**6,
        shown={},
    )


async def exchange(receiver_port: int, *parts: bytes) -> list[int]:
    """Return the statuses of the answers until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver_port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return [int(part.split(b" ", 1)[0]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def request(made: LogExport | str, body: bytes, path: str = "/v1/logs") -> bytes:
    secret = made if isinstance(made, str) else made.secret
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_each_secret_writes_into_its_own_log(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), LINES_PER_S)
        logs = [log_in(tmp_path / name) for name in ("one", "two")]
        one, two = [await receiver.expect(log) for log in logs]
        assert one is not None
        assert two is not None

        statuses = await exchange(
            one.port,
            request(one, export(record("first"))),
            request(two, export(record("second", 17))),
            request("guessed", export(record("third"))),
            request(one, export(record("x")), "/v1/traces"),
            request(one, b"[]"),
        )
        logs[1].close()
        after_the_end = await exchange(one.port, request(two, export(record("late"))))
        receiver.close()

        assert statuses == [200, 200, 401, 404, 400]
        assert after_the_end == [401]
        assert [list(log.ring) for log in logs] == [[("info", "first")], [("error", "second")]]
        logs[0].close()

    asyncio.run(run())


def test_a_trailer_without_end_is_not_held(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), LINES_PER_S)
        log = log_in(tmp_path)
        made = await receiver.expect(log)
        assert made is not None
        large = export(record("x" * 100_000))
        head = request(made, b"").partition(b"Content-Length")[0]
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX: "
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(request(made, large) * 3 + chunked % (len(large), large))
        taken = [await reader.readuntil(b"{}") for _ in range(3)]
        writer.write(b"x" * 10_000)
        refused = await reader.readuntil(b"{}")
        writer.close()
        receiver.close()

        assert [answer[9:12] for answer in (*taken, refused)] == [b"200", b"200", b"200", b"431"]
        log.close()

    asyncio.run(run())


def test_a_body_may_come_in_chunks(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), LINES_PER_S)
        log = log_in(tmp_path)
        made = await receiver.expect(log)
        assert made is not None
        body = export(record("whole"))
        head = request(made, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")

        parts = (head, b"5\r\n" + body[:5] + b"\r\n", b"%x\r\n" % len(body[5:]) + body[5:])
        statuses = await exchange(made.port, *parts, b"\r\n0\r\n\r\n")
        receiver.close()

        assert statuses == [200]
        assert list(log.ring) == [("info", "whole")]
        log.close()

    asyncio.run(run())


def test_what_is_too_large_or_not_http_ends_the_connection(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), LINES_PER_S)
        log = log_in(tmp_path)
        made = await receiver.expect(log)
        assert made is not None
        head = request(made, b"").replace(b"Content-Length: 0", b"Content-Length: 50000000")

        many_fields = b"".join(b"X-%d: y\r\n" % number for number in range(2000))
        statuses = [
            await exchange(made.port, b"GET / HTTP/1.1\r\n" + many_fields),
            await exchange(made.port, b"\x16\x03\x01\r\n\r\n"),
        ]
        with contextlib.suppress(ConnectionError):
            statuses.append(await exchange(made.port, head, *[b"x" * 10_000_000] * 5))
        receiver.close()

        assert statuses[:2] == [[431], [400]]
        assert [413] in statuses or len(statuses) == 2
        assert not log.ring

    asyncio.run(run())


def test_one_quota_holds_for_exports_and_streams(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), LINES_PER_S)
        log = log_in(tmp_path, bytes_per_s=100)
        made = await receiver.expect(log)
        assert made is not None
        log.feed(1, b"x" * 59 + b"\n")
        said = [record("y" * 30), record("z" * 30), record("w")]
        await exchange(made.port, request(made, export(*said)))
        receiver.close()
        log.close()

        kept = [text for _, text in log.ring]
        assert kept[:2] == ["x" * 59, "y" * 30]
        assert kept[2] == "log lines dropped: more than 100 bytes in a second"

    asyncio.run(run())


def test_an_app_that_says_too_much_is_answered_when_it_may_say_more(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), 3)
        log = log_in(tmp_path)
        made = await receiver.expect(log)
        assert made is not None
        began_s = SystemClock().monotonic_s()
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        waits_s = []
        for number in range(4):
            writer.write(request(made, export(record(str(number)))))
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n{}"), 10)
            waits_s.append(SystemClock().monotonic_s() - began_s)
        writer.close()

        # Two at once, the third when the second is over.
        assert waits_s[2] > 0.5
        assert waits_s[2] - waits_s[1] > 0.4
        assert [text for _, text in log.ring] == ["0", "1", "2", "3"]
        receiver.close()
        log.close()

    asyncio.run(run())


def test_a_socket_from_anywhere_can_be_attached(tmp_path: Path) -> None:
    async def run() -> None:
        receiver = LogReceiver(SystemClock(), LINES_PER_S)
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        await receiver.attach(listener)
        log = log_in(tmp_path)
        made = await receiver.expect(log, f"http://127.0.0.1:{port}")
        assert made is not None
        assert made.port == port

        assert await exchange(port, request(made, export(record("there")))) == [200]
        receiver.close()
        assert list(log.ring) == [("info", "there")]
        assert made.secret not in repr(made)
        log.close()

    asyncio.run(run())


def test_times_are_those_of_the_records(tmp_path: Path) -> None:
    kept = []
    log = AppLog(
        tmp_path / "app.log",
        clock=SystemClock(),
        bytes_per_s=1000,
        file_bytes=1000,
        shown={},
        sink=lambda *said: kept.append(said),
    )
    log.say(NOON, "warning", "a\nb")
    log.close()

    assert kept == [(NOON, "warning", "a\nb")]
    assert list(log.ring) == [("warning", "a"), ("warning", "b")]
