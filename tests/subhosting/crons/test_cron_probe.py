"""Whether a Deno has the socket for crons is tried, not assumed."""

import asyncio
from pathlib import Path

from bot.subhosting.config import deno_beside_python
from bot.subhosting.host.cron_probe import crons_work


def test_the_deno_of_this_installation_registers_its_crons() -> None:
    assert asyncio.run(crons_work(deno_beside_python()))


def test_a_deno_that_is_not_there_does_not(tmp_path: Path) -> None:
    assert not asyncio.run(crons_work(tmp_path / "deno"))
