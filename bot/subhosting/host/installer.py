"""Fetching what an entry point imports: `deno install`, and no command of the app's."""

import asyncio
from pathlib import Path

from bot.subhosting.build.materialise import own_copy
from bot.subhosting.build.packages import WRITTEN_BY_INSTALL
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host import command
from bot.subhosting.host.command import Heard, Job, Outcome
from bot.subhosting.host.wording import shown_paths
from bot.subhosting.sandbox.argv import Sandbox, install_argv, install_environment
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.view import ProcessLimits
from bot.subhosting.sandbox.views import install_view


async def install(
    config: SubhostingConfig,
    sandbox: Sandbox,
    scratch: Path,
    confinement: Confinement,
    heard: Heard,
) -> Outcome:
    """Fetch the entry point's packages into its private cache; every line goes to `heard`."""
    await asyncio.to_thread(_make_room, sandbox, scratch)
    environment = install_environment(sandbox, dict(config.installer_environment))
    return await command.run(
        Job(
            command=confinement.command(
                install_argv(sandbox),
                install_view(sandbox, scratch, ProcessLimits()),
                {**environment, "TMPDIR": str(scratch)},
            ),
            folder=sandbox.source,
            scratch=scratch,
            shown=shown_paths(sandbox),
            within_s=config.install_timeout.total_seconds(),
            memory_bytes=config.build.memory_bytes,
        ),
        heard,
    )


def _make_room(sandbox: Sandbox, scratch: Path) -> None:
    for folder in (scratch, sandbox.cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in WRITTEN_BY_INSTALL:
        # Those files may be links to blobs, and the installer writes in place.
        own_copy(sandbox.source / name)
