"""The wire by which a Deno process registers its crons and is told to run them.

`DENO_UNSTABLE_CRON_SOCK`: JSON lines over a unix socket, one for each process. Deno says
`register` and `result`, we say `invoke` (denoland/deno, ext/cron/socket.rs; measured on 2.9.8).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

LOG = logging.getLogger(__name__)

# Deno's own bounds for a backoff schedule; names have no limit there.
_MOST_RETRIES = 5
_LONGEST_BACKOFF_MS = 3_600_000
_LONGEST_NAME = 255
_MOST_CRONS = 100
_MAX_LINE_BYTES = 64 * 1024

VARIABLE = "DENO_UNSTABLE_CRON_SOCK"


@dataclass(frozen=True, slots=True)
class Registered:
    """What an app said of a cron."""

    name: str
    schedule: str
    backoff_ms: tuple[int, ...] = ()


class CronLink:
    """One process's crons."""

    def __init__(self, heard: "Callable[[Registered], None]") -> None:
        """Call `heard` with each cron that the process registers."""
        self.crons: dict[str, Registered] = {}
        self._heard = heard
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._results: dict[str, asyncio.Future[bool]] = {}
        self._news = asyncio.Event()

    async def listen(self, path: Path) -> None:
        """Wait for the process at `path`, whose folder exists and is private."""
        self._server = await asyncio.start_unix_server(
            self._serve, str(path), limit=_MAX_LINE_BYTES
        )
        _let_in(path)

    def close(self) -> None:
        """Hear no more; runs that go on have failed."""
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()
        self._fail_all()

    async def knows(self, name: str, within_s: float) -> bool:
        """Return whether a cron is registered, or comes to be in a moment."""
        return await self._comes(lambda: name in self.crons, within_s)

    async def knows_any(self, within_s: float) -> bool:
        """Return whether any cron is registered, or comes to be in a moment."""
        return await self._comes(lambda: bool(self.crons), within_s)

    async def _comes(self, condition: "Callable[[], bool]", within_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        return condition()

    async def invoke(self, name: str) -> bool:
        """Run a registered cron once and return whether its handler succeeded.

        False as well if the process ended. The caller runs a name once at a time.
        """
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        result: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._results[name] = result
        writer.write(orjson.dumps({"kind": "invoke", "name": name}) + b"\n")
        try:
            return await result
        finally:
            self._results.pop(name, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            while line := await reader.readline():
                self._take(orjson.loads(line))
        except (OSError, ValueError, KeyError, TypeError):
            # An app that speaks to its own socket itself can only harm its own crons.
            LOG.warning("cron_message_not_understood", exc_info=True)
        finally:
            writer.close()
            self._fail_all()

    def _take(self, message: dict[str, Any]) -> None:
        match message["kind"]:
            case "register":
                for cron in message["crons"]:
                    self._register(cron)
            case "result":
                result = self._results.get(message["name"])
                if result is not None and not result.done():
                    result.set_result(bool(message["success"]))
            case _:
                pass  # an answer to something that we do not say

    def _register(self, cron: dict[str, Any]) -> None:
        name = str(cron["name"]).replace("\0", "\ufffd")
        if len(name) > _LONGEST_NAME or len(self.crons) >= _MOST_CRONS:
            LOG.warning("cron_not_registered name=%.64s: a name too long, or too many", name)
            return
        backoff = [int(each) for each in cron.get("backoff_schedule") or ()]
        found = Registered(
            name=name,
            schedule=str(cron["schedule"]),
            backoff_ms=tuple(min(each, _LONGEST_BACKOFF_MS) for each in backoff[:_MOST_RETRIES]),
        )
        self.crons[name] = found
        self._heard(found)
        self._news.set()

    def _fail_all(self) -> None:
        for result in self._results.values():
            if not result.done():
                result.set_result(False)


def _let_in(path: Path) -> None:
    # The process may have a user id of its own; the folder keeps others away.
    path.chmod(0o666)
