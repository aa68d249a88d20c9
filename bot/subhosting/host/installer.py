"""The installing stage: `deno install` with its output in the build log."""

import asyncio
from dataclasses import dataclass

from bot.subhosting.build.materialise import own_copy
from bot.subhosting.build.packages import WRITTEN_BY_INSTALL
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.app_log import MAX_LINE_BYTES, Listener
from bot.subhosting.host.child import start_child
from bot.subhosting.host.supervisor import shown_paths
from bot.subhosting.sandbox.argv import Sandbox, install_argv, install_environment
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.view import ProcessLimits
from bot.subhosting.sandbox.views import install_view


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there are no packages."""

    sentence: str
    timed_out: bool = False


async def install(
    config: SubhostingConfig, sandbox: Sandbox, confinement: Confinement, say: Listener
) -> Problem | None:
    """Fetch what the entry point imports into its private cache; return what went wrong, or None.

    Every line of output goes to `say`.
    """
    for name in WRITTEN_BY_INSTALL:
        # Those files are links to blobs, and the installer writes in place.
        own_copy(sandbox.source / name)
    command = confinement.command(
        install_argv(sandbox),
        install_view(sandbox, ProcessLimits()),
        install_environment(sandbox, dict(config.installer_environment)),
    )
    lines = _Lines(sandbox, say)
    child = await start_child(command, sandbox.source, lines.feed, together=True)
    try:
        async with asyncio.timeout(config.install_timeout.total_seconds()):
            await child.over.wait()
        code = await child.wait()
    except TimeoutError:
        seconds = config.install_timeout.total_seconds()
        sentence = f"Installing packages took longer than {seconds:g} s and was stopped"
        return Problem(sentence, timed_out=True)
    finally:
        child.kill()
        await asyncio.wait({child.exited})
        lines.end()
    return None if code == 0 else Problem(f"Installing packages failed with code {code}")


class _Lines:
    """What a program writes, as lines of the build log."""

    def __init__(self, sandbox: Sandbox, say: Listener) -> None:
        self._sandbox = sandbox
        self._say = say
        self._rest = b""

    def feed(self, _: int, received: bytes) -> None:
        """Hear what it wrote."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        for line in lines:
            _say(line, self._sandbox, self._say)
        if len(self._rest) > MAX_LINE_BYTES:
            self.end()

    def end(self) -> None:
        """Say what came without an end of line."""
        _say(self._rest, self._sandbox, self._say)
        self._rest = b""


def _say(line: bytes, sandbox: Sandbox, say: Listener) -> None:
    text = line.decode(errors="replace").rstrip("\r")
    for ours, theirs in shown_paths(sandbox).items():
        text = text.replace(ours, theirs)
    if text.strip():
        say("info", text)
