"""The KV Connect server, used by real Deno and by hand."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from bot.kernel.clock import SystemClock
from bot.subhosting.config import deno_beside_python
from bot.subhosting.kv.connect import KvServer
from bot.subhosting.store.usage import Usage

MOST_BYTES = 1024 * 1024 * 1024
DATABASE = "11111111-1111-4111-8111-111111111111"

# Every call that Deno has; prints what came of it as JSON.
TOUR = """
const kv = await Deno.openKv();
const out = {};
out.missing = (await kv.get(["a"])).versionstamp;
const value = { big: 1n, date: new Date(0), bytes: new Uint8Array([1, 2]) };
await kv.set(["a"], value);
const back = (await kv.get(["a"])).value;
out.same = back.big === 1n && back.date.getTime() === 0 && back.bytes[1] === 2;
for (let n = 0; n < 5; n++) await kv.set(["l", n], `v${n}`);
const values = async (...how) => (await Array.fromAsync(kv.list(...how))).map((e) => e.value);
out.list = await values({ prefix: ["l"] }, { limit: 2 });
out.reverse = await values({ prefix: ["l"] }, { limit: 2, reverse: true });
const first = kv.list({ prefix: ["l"] }, { limit: 2 });
for await (const _ of first);
out.cursor = await values({ prefix: ["l"] }, { cursor: first.cursor, batchSize: 1 });
const range = { start: ["l", 1], end: ["l", 3] };
out.range = await values(range, { consistency: "eventual" });
const a = await kv.get(["a"]);
out.checked = (await kv.atomic().check(a).set(["a"], 2).commit()).ok;
out.failed = (await kv.atomic().check(a).set(["a"], 3).commit()).ok;
await kv.atomic().sum(["n"], 5n).sum(["n"], 6n).max(["m"], 3n).max(["m"], 30n).min(["i"], 2n)
  .commit();
out.numbers = (await kv.getMany([["n"], ["m"], ["i"]])).map((e) => Number(e.value.value));
await kv.delete(["a"]);
out.deleted = (await kv.get(["a"])).value;
const many = kv.atomic();
for (let n = 0; n < 100; n++) many.set(["many", n], "x".repeat(7000));
await many.commit();
out.many = (await values({ prefix: ["many"] })).join("").length;
out.queue = await kv.enqueue("x").then(String, (error) => error.message);
out.mismatch = await kv.set(["s"], "text").then(() => kv.atomic().sum(["s"], 1n).commit())
  .then(String, (error) => error.message.replace(/^.*Request\\): /, ""));
const watched = kv.watch([["w"], ["x"]]).getReader();
const seen = async () => (await watched.read()).value.map((e) => e.value);
out.watch = [await seen(), (await kv.set(["w"], 1), await seen()),
  (await kv.delete(["w"]), await seen())];
await watched.cancel();
console.log(JSON.stringify(out));
kv.close();
"""

READS = 'const kv = await Deno.openKv(); console.log((await kv.get(["l", 4])).value); kv.close();'


def serving(
    use: "Callable[[KvServer, tuple[str, int]], Awaitable[None]]", *, by_hand: bool = False
) -> None:
    async def run() -> None:
        server = KvServer(SystemClock(), MOST_BYTES)
        try:
            await use(server, await (attached(server) if by_hand else server.listen()))
        finally:
            await server.close()

    asyncio.run(run())


async def attached(server: KvServer) -> tuple[str, int]:
    """Return where the server listens for tests, which may speak to 127.0.0.1 only."""
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    await server.attach(listener)
    return host, port


async def run_deno(folder: Path, program: str, variables: dict[str, str], *flags: str) -> str:
    (folder / "main.ts").write_text(program, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        deno_beside_python(),
        *("run", "--quiet", "--no-prompt", "--unstable-kv", *flags, "main.ts"),
        cwd=folder,
        env={"DENO_DIR": str(folder / "cache"), "NO_COLOR": "1", **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return output.decode()


def test_deno_itself_is_content_and_may_open_the_file_later(tmp_path: Path) -> None:
    file = tmp_path / "kv.sqlite"

    async def use(server: KvServer, address: tuple[str, int]) -> None:
        host, port = address
        connect = {
            "DENO_KV_DEFAULT_PATH": f"http://{host}:{port}/",
            "DENO_KV_ACCESS_TOKEN": server.admit(DATABASE, file, Usage),
        }
        allowed = (f"--allow-net={host}:{port}", "--allow-env=DENO_KV_ACCESS_TOKEN")
        output = await run_deno(tmp_path, TOUR, connect, *allowed)
        found = json.loads(output)
        await server.close()
        own = {"DENO_KV_DEFAULT_PATH": str(file)}
        files = (f"--allow-read={file}", f"--allow-write={file}")

        assert found == {
            "missing": None,
            "same": True,
            "list": ["v0", "v1"],
            "reverse": ["v4", "v3"],
            "cursor": ["v2", "v3", "v4"],
            "range": ["v1", "v2"],
            "checked": True,
            "failed": False,
            "numbers": [11, 30, 2],
            "deleted": None,
            "many": 700_000,
            "queue": "Enqueue operations are not supported in KV Connect",
            "mismatch": "Failed to perform 'sum' mutation on a non-U64 value in the database",
            "watch": [[None, None], [1, None], [None, None]],
        }
        assert await run_deno(tmp_path, READS, own, *files) == "v4\n"

    serving(use)


class Client:
    """Speaks HTTP/2 by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()

    async def post(self, path: str, token: str, body: bytes, **more: str) -> tuple[int, bytes]:
        """Return status and body; 0 for a stream that was reset."""
        stream = self.h2.get_next_available_stream_id()
        head = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "x"),
            (":path", path),
            ("authorization", f"Bearer {token}"),
            *[(name.replace("_", "-"), value) for name, value in more.items()],
        ]
        self.h2.send_headers(stream, head)
        for start in range(0, len(body), 16_000):
            part = body[start : start + 16_000]
            while self.h2.local_flow_control_window(stream) < len(part):
                if any(isinstance(event, StreamReset) for event in await self._heard()):
                    return 0, b""
            self.h2.send_data(stream, part)
        self.h2.end_stream(stream)
        return await self._answer()

    async def _answer(self) -> tuple[int, bytes]:
        status, content = 0, b""
        while True:
            for event in await self._heard():
                match event:
                    case ResponseReceived():
                        status = int(
                            {str(name): value for name, value in event.headers}[":status"]
                        )
                    case DataReceived():
                        content += event.data
                    case StreamEnded():
                        return status, content
                    case StreamReset():
                        return 0, b""
                    case _:
                        pass

    async def _heard(self) -> list[Any]:
        self.writer.write(self.h2.data_to_send())
        received = await asyncio.wait_for(self.reader.read(65_536), 10)
        assert received, "the server hung up"
        return list(self.h2.receive_data(received))


async def connected(address: tuple[str, int]) -> Client:
    reader, writer = await asyncio.open_connection(*address)
    return Client(reader, writer)


OFFER = b'{"supportedVersions":[1,2,3]}'


def test_tokens_are_for_one_database_and_end(tmp_path: Path) -> None:
    async def use(server: KvServer, address: tuple[str, int]) -> None:
        token = server.admit(DATABASE, tmp_path / "one.sqlite", Usage)
        other = server.admit("2" * 8, tmp_path / "two.sqlite", Usage)
        client = await connected(address)
        status, body = await client.post("/", token, OFFER)
        document = json.loads(body)
        short = document["token"]
        read, own = "/kv/snapshot_read", {"x_denokv_database_id": DATABASE}

        assert status == 200
        assert (document["version"], document["databaseId"]) == (3, DATABASE)
        assert document["endpoints"] == [{"url": "/kv", "consistency": "strong"}]
        assert [
            (await client.post("/", "guessed", OFFER))[0],
            (await client.post("/", token, b'{"supportedVersions":[1]}'))[0],
            (await client.post("/", token, b"[]"))[0],
            (await client.post(read, short, b"", **own))[0],
            (await client.post(read, token, b"", **own))[0],
            (await client.post(read, short, b"", x_denokv_database_id="2" * 8))[0],
            (await client.post("/kv/nothing", short, b"", **own))[0],
            (await client.post(read, short, b"\xff", **own))[0],
        ] == [401, 400, 400, 200, 401, 400, 404, 400]
        server.dismiss(token)
        assert (await client.post(read, short, b"", **own))[0] == 401
        assert (await client.post("/", token, OFFER))[0] == 401
        assert (await client.post("/", other, OFFER))[0] == 200
        client.writer.close()

    serving(use, by_hand=True)


def test_what_is_not_http2_or_too_large_ends_alone(tmp_path: Path) -> None:
    async def use(server: KvServer, address: tuple[str, int]) -> None:
        token = server.admit(DATABASE, tmp_path / "one.sqlite", Usage)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
        client = await connected(address)

        assert await client.post("/", token, b"x" * 5_000_000) == (0, b"")
        assert (await client.post("/", token, OFFER))[0] == 200
        client.writer.close()

    serving(use, by_hand=True)
