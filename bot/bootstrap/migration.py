"""The two platforms of a move from v1 to v2, from what the command line says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.adapters.targets.http import KEEPALIVE_UNKNOWN, Api
from bot.adapters.targets.migration_v1 import OldV1
from bot.adapters.targets.migration_v2 import NewV2
from bot.kernel.clock import SystemClock
from bot.pipeline.migrate import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An organization on a platform."""

    url: str  # ends in /v1 or /v2
    token: str = field(repr=False)
    organization: str = ""  # v1's paths name it; v2 knows it by the token


@contextmanager
def moving(old: Place, new: Place, *, build_timeout: timedelta, dry: bool) -> Iterator[Move]:
    """Yield the move; connections are closed when the block ends."""
    clock = SystemClock()
    source = Api("the old platform", old.url, old.token, keepalive=KEEPALIVE_UNKNOWN, clock=clock)
    target = Api("the new platform", new.url, new.token, keepalive=KEEPALIVE_UNKNOWN, clock=clock)
    try:
        yield Move(
            old=OldV1(source, old.organization),
            new=NewV2(target),
            clock=clock,
            build_timeout=build_timeout,
            dry=dry,
        )
    finally:
        source.close()
        target.close()
