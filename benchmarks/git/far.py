"""A server that is far away: a TCP proxy on loopback that delays every byte."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE_BYTES = 64 * 1024


class _Far:
    def __init__(self, port: int, one_way_s: float) -> None:
        self._port = port
        self._one_way_s = one_way_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # at the end of the comparison
            # The handshake of TCP is a round trip too.
            await asyncio.sleep(2 * self._one_way_s)
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                loop.call_later(self._one_way_s, writer.write, piece)
            await asyncio.sleep(self._one_way_s)
        writer.close()


@contextmanager
def far_away(port: int, round_trip_s: float) -> Iterator[int]:
    """Yield a port behind which `port` answers, one round trip later."""
    loop = asyncio.new_event_loop()
    far = _Far(port, round_trip_s / 2)
    server = loop.run_until_complete(asyncio.start_server(far.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end_the_others(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_the_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
