"""A lock file that a client named by its URL: fetched here, since Deno takes files only."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.kernel.clock import Clock
from bot.subhosting.build.overlay import put_lock_file

# That of a large workspace has 1 MB.
_MAX_BYTES: Final = 16 * 1024 * 1024
_WITHIN: Final = timedelta(seconds=30)


async def fetch_lock_file(url: str, proxy: str, folder: Path, clock: Clock) -> str | None:
    """Put the lock file of `url` into `folder`; return in a sentence why not, or None.

    It comes by the egress proxy with the address `proxy`, which checks where it comes from.
    """
    return await asyncio.to_thread(_fetch, url, proxy, folder, clock)


def _fetch(url: str, proxy: str, folder: Path, clock: Clock) -> str | None:
    # Rarely needed, and 7 MB.
    import httpx  # noqa: PLC0415

    from bot.subhosting.trust.fetching import FetchFailed, fetch  # noqa: PLC0415

    try:
        with httpx.Client(proxy=proxy, trust_env=False, timeout=_WITHIN.total_seconds()) as client:
            content = fetch(client, url, clock, max_bytes=_MAX_BYTES, within=_WITHIN)
    except FetchFailed as error:
        return f"The lock file did not come: {error}"
    put_lock_file(folder, content)
    return None
