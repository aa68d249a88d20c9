"""Uploads that take longer than an app may take to answer: some move, and some do not."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from bot.kernel.clock import SystemClock
from bot.subhosting.router_config import RouterConfig
from tests.subhosting.edge.lone_router import HOST, routed

LIMIT_S = 1.0
CONFIG = RouterConfig(answer_within=timedelta(seconds=LIMIT_S), upload_bytes_per_s=1000)
SIZE = 8000
HEAD = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {SIZE}\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"


async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(SIZE)
        writer.write(OK)
    writer.close()


async def holds(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the router gives up
    writer.close()


async def uploaded(port: int, piece: bytes, pieces: int) -> tuple[bytes, float]:
    """Send pieces, one each tenth of a second; return the answer and how long it took."""
    clock = SystemClock()
    began_s = clock.monotonic_s()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.encode())
    answer = b""
    for _ in range(pieces):
        writer.write(piece)
        with contextlib.suppress(TimeoutError):
            answer = await asyncio.wait_for(reader.read(12), LIMIT_S / 10)
            break
    answer = answer or await asyncio.wait_for(reader.read(12), 20)
    writer.close()
    return answer, clock.monotonic_s() - began_s


def test_an_upload_that_moves_may_take_longer_than_an_answer(tmp_path: Path) -> None:
    async def run() -> None:
        async with routed(tmp_path, counts, CONFIG) as port:
            answer, took_s = await uploaded(port, b"x" * 400, SIZE // 400)

        assert answer == b"HTTP/1.1 200"
        assert took_s > 1.5 * LIMIT_S

    asyncio.run(run())


@pytest.mark.parametrize("piece", [b"", b"x", b"xxx"])
def test_an_upload_below_the_least_rate_wins_no_time(tmp_path: Path, piece: bytes) -> None:
    async def run() -> None:
        async with routed(tmp_path, holds, CONFIG) as port:
            answer, took_s = await uploaded(port, piece, 400)

        assert answer == b"HTTP/1.1 504"
        assert took_s < 10 * LIMIT_S

    asyncio.run(run())


def test_a_fast_upload_wins_no_more_than_an_answer_s_time(tmp_path: Path) -> None:
    async def run() -> None:
        async with routed(tmp_path, holds, CONFIG) as port:
            # So much would win eight seconds if it could be saved up.
            answer, took_s = await uploaded(port, b"x" * (SIZE - 1), 1)

        assert answer == b"HTTP/1.1 504"
        assert took_s < 6 * LIMIT_S

    asyncio.run(run())


def test_a_deployment_s_own_limit_is_moved_by_nothing(tmp_path: Path) -> None:
    own = timedelta(seconds=LIMIT_S)

    async def run() -> None:
        async with routed(tmp_path, counts, RouterConfig(), request_timeout=own) as port:
            answer, _ = await uploaded(port, b"x" * 50, SIZE // 50)

        assert answer == b"HTTP/1.1 504"

    asyncio.run(run())
