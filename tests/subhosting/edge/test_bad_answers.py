"""Apps that speak HTTP of their own: what becomes of an answer that the router cannot pass on."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from bot.subhosting.host.http1 import LAST_CHUNK
from tests.subhosting.edge.lone_router import HOST, routed

MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize("begin", [b"0\r\nX: ", b"0\r\n", b"5;"], ids=["trailer", "name", "chunk"])
def test_an_answer_whose_framing_does_not_end_is_broken_off(tmp_path: Path, begin: bytes) -> None:
    async def run() -> None:
        written = asyncio.get_running_loop().create_future()

        async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + begin)
            count = 0
            try:
                while count < 16:
                    writer.write(b"x" * MIB)
                    await writer.drain()
                    count += 1
            except ConnectionError:
                pass
            writer.close()
            written.set_result(count)

        async with routed(tmp_path, app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await reader.readuntil(b"hello\r\n")
            rest = b""
            with contextlib.suppress(ConnectionError):
                rest = await reader.read()
            writer.close()

            assert await written < 3
            assert not rest.endswith(LAST_CHUNK)

    asyncio.run(run())
