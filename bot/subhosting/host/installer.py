"""Fetching what an entry point imports: `deno install`, and no command of the app's."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.build.materialise import own_copy
from bot.subhosting.build.packages import WRITTEN_BY_INSTALL
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host import command
from bot.subhosting.host.command import Heard, Job, Outcome
from bot.subhosting.host.outside import without_proxies
from bot.subhosting.host.wording import shown_paths
from bot.subhosting.sandbox.argv import Sandbox, install_argv, install_environment
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.views import install_view, with_way_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What an installation is given: variables that name its proxy, and who hears every line."""

    way_out: Mapping[str, str]
    heard: Heard


async def install(
    config: SubhostingConfig,
    sandbox: Sandbox,
    scratch: Path,
    confinement: Confinement,
    around: Around,
) -> Outcome:
    """Fetch the entry point's packages into its private cache."""
    await asyncio.to_thread(_make_room, sandbox, scratch)
    extra = without_proxies(dict(config.installer_environment))
    environment = install_environment(sandbox, {**extra, **around.way_out})
    limits = command.process_limits(config.build)
    return await command.run(
        Job(
            command=confinement.command(
                install_argv(sandbox),
                with_way_out(install_view(sandbox, scratch, limits), around.way_out),
                {**environment, "TMPDIR": str(scratch)},
            ),
            folder=sandbox.source,
            scratch=scratch,
            shown=shown_paths(sandbox),
            within_s=config.install_timeout.total_seconds(),
            memory_bytes=config.build.memory_bytes,
        ),
        around.heard,
    )


def _make_room(sandbox: Sandbox, scratch: Path) -> None:
    for folder in (scratch, sandbox.cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in WRITTEN_BY_INSTALL:
        # Those files may be links to blobs, and the installer writes in place.
        own_copy(sandbox.source / name)
