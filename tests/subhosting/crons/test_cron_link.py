"""The wire of crons, with a process played by hand."""

import asyncio
import json
from pathlib import Path

from bot.subhosting.host.cron_link import CronLink, Registered


def test_what_is_registered_is_heard_within_bounds(tmp_path: Path) -> None:
    async def run() -> None:
        heard: list[Registered] = []
        link = CronLink(heard.append)
        await link.listen(tmp_path / "c")
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "c"))
        for cron in (
            {"name": "x" * 256, "schedule": "* * * * *"},
            {"name": "a", "schedule": "* * * * *", "backoff_schedule": [1, 10**9, *[2] * 9]},
            *[{"name": f"n{number}", "schedule": "* * * * *"} for number in range(200)],
        ):
            writer.write(json.dumps({"kind": "register", "crons": [cron]}).encode() + b"\n")
        assert await link.knows("n98", 10)
        assert not await link.knows("n99", 0.05)
        writer.close()
        link.close()

        assert heard[0] == Registered("a", "* * * * *", (1, 3_600_000, 2, 2, 2))
        assert len(heard) == 100

    asyncio.run(run())


def test_a_process_that_ends_fails_its_run(tmp_path: Path) -> None:
    async def run() -> None:
        link = CronLink(lambda _: None)
        await link.listen(tmp_path / "c")
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "c"))
        register = {"kind": "register", "crons": [{"name": "a", "schedule": "* * * * *"}]}
        writer.write(json.dumps(register).encode() + b"\n")
        assert await link.knows("a", 10)
        going = asyncio.create_task(link.invoke("a"))
        assert json.loads(await reader.readline()) == {"kind": "invoke", "name": "a"}
        writer.close()

        assert not await asyncio.wait_for(going, 10)
        assert not await link.invoke("a")
        link.close()

    asyncio.run(run())


def test_nonsense_ends_the_connection_and_nothing_else(tmp_path: Path) -> None:
    async def run() -> None:
        link = CronLink(lambda _: None)
        await link.listen(tmp_path / "c")
        for line in (b"{}\n", b"[1]\n", b"\xff\n", b"x" * 200_000 + b"\n"):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "c"))
            writer.write(line)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
        assert not link.crons
        link.close()

    asyncio.run(run())
