"""The installing stage: `deno install` with its output in the build log."""

import asyncio
import os
import signal
from dataclasses import dataclass

from bot.subhosting.build.materialise import own_copy
from bot.subhosting.build.packages import WRITTEN_BY_INSTALL
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.app_log import MAX_LINE_BYTES, Listener
from bot.subhosting.host.supervisor import shown_paths
from bot.subhosting.sandbox.argv import Sandbox, install_argv, install_environment


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there are no packages."""

    sentence: str
    timed_out: bool = False


async def install(
    config: SubhostingConfig, sandbox: Sandbox, launcher: tuple[str, ...], say: Listener
) -> Problem | None:
    """Fetch what the entry point imports into its private cache; return what went wrong, or None.

    Every line of output goes to `say`.
    """
    for name in WRITTEN_BY_INSTALL:
        # Those files are links to blobs, and the installer writes in place.
        own_copy(sandbox.source / name)
    process = await asyncio.create_subprocess_exec(
        *install_argv(sandbox, launcher),
        env=install_environment(sandbox, dict(config.installer_environment)),
        cwd=sandbox.source,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=MAX_LINE_BYTES,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(config.install_timeout.total_seconds()):
            await _relay(process, sandbox, say)
            code = await process.wait()
    except TimeoutError:
        seconds = config.install_timeout.total_seconds()
        sentence = f"Installing packages took longer than {seconds:g} s and was stopped"
        return Problem(sentence, timed_out=True)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return None if code == 0 else Problem(f"Installing packages failed with code {code}")


async def _relay(process: asyncio.subprocess.Process, sandbox: Sandbox, say: Listener) -> None:
    if process.stdout is None:
        return
    rest = b""
    while received := await process.stdout.read(MAX_LINE_BYTES):
        *lines, rest = (rest + received).split(b"\n")
        for line in lines:
            _say(line, sandbox, say)
        if len(rest) > MAX_LINE_BYTES:
            _say(rest, sandbox, say)
            rest = b""
    _say(rest, sandbox, say)


def _say(line: bytes, sandbox: Sandbox, say: Listener) -> None:
    text = line.decode(errors="replace").rstrip("\r")
    for ours, theirs in shown_paths(sandbox).items():
        text = text.replace(ours, theirs)
    if text.strip():
        say("info", text)
