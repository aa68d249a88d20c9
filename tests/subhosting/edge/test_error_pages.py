"""The router's own pages: what a visitor learns, and where the app's owner reads on."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.subhosting.host.live import NoInstance
from bot.subhosting.router_config import RouterConfig
from tests.subhosting.edge.lone_router import DEPLOYMENT, HOST, App, routed

CONFIG = RouterConfig(
    answer_within=timedelta(milliseconds=200),
    log_url="https://pages.example/logs/{deployment}",
)
LINK = f'<a href="https://pages.example/logs/{DEPLOYMENT}">'


async def leaves(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the router gives up
    writer.close()


async def page(port: int, host: str = HOST) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize(
    ("status", "app", "missing"),
    [
        (502, leaves, None),
        (502, leaves, NoInstance(reason="it ended with code 1")),
        (503, leaves, NoInstance(reason="the server is restarting", status=503)),
        (504, waits, None),
    ],
    ids=["502-of-an-answer", "502-of-a-start", "503", "504"],
)
def test_a_page_about_a_deployment_links_its_log(
    tmp_path: Path, status: int, app: App, missing: NoInstance | None
) -> None:
    async def run() -> None:
        async with routed(tmp_path, app, CONFIG, missing) as port:
            found, text = await page(port)

        assert found == status
        assert LINK in text

    asyncio.run(run())


def test_a_page_about_no_deployment_links_none(tmp_path: Path) -> None:
    async def run() -> None:
        async with routed(tmp_path, leaves, CONFIG) as port:
            status, text = await page(port, "other.localhost")

        assert status == 404
        assert "<a " not in text

    asyncio.run(run())
