"""Finds out whether this Deno lets somebody else run its crons: the hook is not a promised one."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

from bot.subhosting.host.cron_link import VARIABLE, CronLink

_WITHIN_S = 20.0
_NAME = "probe"
_PROGRAM = f"Deno.cron('{_NAME}', '* * * * *', () => {{}});"


async def crons_work(deno: Path) -> bool:
    """Return whether a process of this Deno registers its crons with us."""
    with tempfile.TemporaryDirectory(prefix="previewbot-") as folder:
        link = CronLink(lambda _: None)
        path = Path(folder) / "c"
        await link.listen(path)
        variables = {VARIABLE: f"unix:{path}", "DENO_DIR": folder, "DENO_NO_UPDATE_CHECK": "1"}
        try:
            process = await asyncio.create_subprocess_exec(
                deno,
                "eval",
                "--unstable-cron",
                _PROGRAM,
                env=variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            link.close()
            return False
        try:
            # Without the hook the process waits for the next minute, and we for nothing.
            return await link.knows(_NAME, _WITHIN_S)
        finally:
            link.close()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
