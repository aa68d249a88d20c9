"""The KV Connect server: who may open which database, and the four calls of the protocol.

https://github.com/denoland/denokv/blob/main/proto/kv-connect.md, versions 2 and 3 of the protocol.
"""

import asyncio
import logging
import secrets
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bot.kernel.clock import Clock
from bot.subhosting.kv import counting, messages
from bot.subhosting.kv.databases import OpenDatabase
from bot.subhosting.kv.http2 import Http2Connection, Stream
from bot.subhosting.kv.protobuf import NotProtobuf
from bot.subhosting.kv.store import Refused
from bot.subhosting.store.usage import Usage

LOG = logging.getLogger(__name__)

# An address of ours alone, so that everything else of 127.0.0.0/8 stays closed to apps.
RESERVED_ADDRESS = "127.75.86.1"

_PROTOBUF, _JSON, _TEXT = "application/x-protobuf", "application/json", "text/plain"
# The client fetches a new one every minute.
_TOKEN_LIVES = timedelta(minutes=10)
_VERSIONS = (3, 2)
_SCHEME = "Bearer "

_NO_QUEUES = "Enqueue operations are not supported in KV Connect"


@dataclass(eq=False, slots=True)
class _Admitted:
    """One who may open a database."""

    database_id: str
    file: Path
    database: OpenDatabase
    # What is counted for it, at this moment: later the counts may have been taken away.
    usage: Callable[[], Usage]


class KvServer:
    """Serves databases to those who were admitted."""

    def __init__(self, clock: Clock, most_bytes: int) -> None:
        """Begin without any listener; each database may hold `most_bytes`."""
        self._clock = clock
        self._most_bytes = most_bytes
        self._databases: dict[Path, OpenDatabase] = {}
        self._admitted: dict[str, _Admitted] = {}
        # What each of them got in exchange for its token, and until when that holds.
        self._short: dict[str, tuple[_Admitted, datetime]] = {}
        self._connections: set[Http2Connection] = set()
        self._servers: set[asyncio.Server] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def listen(self) -> tuple[str, int]:
        """Listen on the reserved address and return it with the port.

        Raises:
            OSError: this machine does not have the address.

        """
        listener = socket.create_server((RESERVED_ADDRESS, 0), backlog=512)
        await self.attach(listener)
        host, port = listener.getsockname()
        return host, port

    async def attach(self, listener: socket.socket) -> "Callable[[], Awaitable[None]]":
        """Serve on a socket that is bound, wherever that is; it becomes ours.

        Call what is returned to end that.
        """
        listener.settimeout(0)
        server = await asyncio.get_running_loop().create_server(
            lambda: Http2Connection(self._serve, self._connections), sock=listener
        )
        self._servers.add(server)

        async def close() -> None:
            self._servers.discard(server)
            server.close()

        return close

    def admit(self, database_id: str, file: Path, usage: Callable[[], Usage]) -> str:
        """Return a new token for one process that may open a database.

        What it does there is added to what `usage` returns at that moment.
        """
        token = secrets.token_urlsafe(24)
        database = self._databases.get(file)
        if database is None:
            database = self._databases[file] = OpenDatabase(file, self._clock, self._most_bytes)
        self._admitted[token] = _Admitted(database_id, file, database, usage)
        return token

    def dismiss(self, token: str) -> None:
        """Let nobody in by a token any more; whoever is the last lets go of the file."""
        gone = self._admitted.pop(token, None)
        if gone is None:
            return
        self._short = {token: each for token, each in self._short.items() if each[0] is not gone}
        if any(each.database is gone.database for each in self._admitted.values()):
            return
        del self._databases[gone.file]
        closing = asyncio.create_task(gone.database.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End everything."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.abort()
        for token in list(self._admitted):
            self.dismiss(token)
        if self._closing:
            await asyncio.wait(self._closing)

    async def _serve(self, stream: Stream) -> None:
        authorization = stream.headers.get("authorization", "")
        token = authorization.removeprefix(_SCHEME)
        try:
            if stream.method == "POST" and stream.path == "/":
                await self._exchange(stream, token)
                return
            admitted = self._by_short_token(token)
            if admitted is None:
                await stream.answer(401, _TEXT, b"the token is unknown or expired")
            elif stream.headers.get("x-denokv-database-id") != admitted.database_id:
                await stream.answer(400, _TEXT, b"the token is for another database")
            else:
                await self._call(stream, admitted)
        except (NotProtobuf, Refused) as error:
            # Never a 5xx: the client would repeat the same call for ever.
            await stream.answer(400, _TEXT, str(error).encode())
        except sqlite3.Error as error:
            LOG.exception("kv_database_failed")
            await stream.answer(422, _TEXT, f"the database failed: {error}".encode())

    async def _exchange(self, stream: Stream, token: str) -> None:
        admitted = self._admitted.get(token)
        if admitted is None:
            await stream.answer(401, _TEXT, b"the access token is not valid (any more)")
            return
        version = _version(bytes(stream.body))
        if version is None:
            await stream.answer(400, _TEXT, b"only versions 2 and 3 are spoken here")
            return
        now = self._clock.now()
        self._short = {token: each for token, each in self._short.items() if each[1] > now}
        short, expires = secrets.token_urlsafe(24), now + _TOKEN_LIVES
        self._short[short] = admitted, expires
        document = {
            "version": version,
            "databaseId": admitted.database_id,
            "endpoints": [{"url": "/kv", "consistency": "strong"}],
            "token": short,
            "expiresAt": expires.isoformat().replace("+00:00", "Z"),
        }
        await stream.answer(200, _JSON, orjson.dumps(document))

    def _by_short_token(self, token: str) -> _Admitted | None:
        admitted, expires = self._short.get(token, (None, None))
        return admitted if expires is not None and expires > self._clock.now() else None

    async def _call(self, stream: Stream, admitted: _Admitted) -> None:
        body = bytes(stream.body)
        match stream.method, stream.path:
            case "POST", "/kv/snapshot_read":
                entries = await admitted.database.read(messages.snapshot_read(body))
                counting.count_read(admitted.usage(), entries)
                await stream.answer(200, _PROTOBUF, messages.snapshot_read_output(entries))
            case "POST", "/kv/atomic_write":
                write = messages.atomic_write(body)
                if write.enqueues:
                    raise Refused(_NO_QUEUES)
                written = await admitted.database.write(write)
                if written.versionstamp is not None:
                    counting.count_written(admitted.usage(), write.mutations)
                output = messages.atomic_write_output(written.versionstamp, written.failed_checks)
                await stream.answer(200, _PROTOBUF, output)
            case "POST", "/kv/watch":
                await self._watch(stream, admitted, messages.watch(body))
            case _:
                await stream.answer(404, _TEXT, b"there is no such call")

    async def _watch(self, stream: Stream, admitted: _Admitted, keys: list[bytes]) -> None:
        stream.start(200, "application/octet-stream")
        async for changes in admitted.database.watch(keys):
            counting.count_watched(admitted.usage(), changes)
            frame = messages.watch_output(changes)
            await stream.send(len(frame).to_bytes(4, "little") + frame)


def _version(body: bytes) -> int | None:
    """Return the newest version that both sides speak."""
    try:
        document: Any = orjson.loads(body)
        offered = document["supportedVersions"]
        return next((each for each in _VERSIONS if each in offered), None)
    except (ValueError, TypeError, KeyError):
        return None
