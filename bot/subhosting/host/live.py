"""What the router asks of whoever runs the instances: the supervisor, here or across a socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.subhosting.build.site import Site
from bot.subhosting.store.records import InstanceKey

LogLines = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInstance:
    """Nothing serves this deployment, and why; `log` is the end of what it said."""

    reason: str
    log: LogLines = ()
    # 502 when the app is at fault, 503 when it is the server, and later may be better; 410 when
    # its owner must do something first.
    status: int = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """How an instance ended, or None if it did not, and the end of what it said.

    `ending` is in words that follow "the app".
    """

    ending: str | None
    log: LogLines = ()


class LiveInstance(Protocol):
    """An instance that takes requests."""

    @property
    def socket(self) -> Path:
        """Where it listens."""

    @property
    def draining(self) -> bool:
        """Whether new requests must go elsewhere."""

    def begin_request(self) -> None:
        """Count a request that goes there."""

    def end_request(self) -> None:
        """Count it as over."""

    async def last_words(self, within_s: float) -> LastWords:
        """Return how it ended, after at most `within_s` in case that shows only now."""


class Instances(Protocol):
    """All instances."""

    def live(self, key: InstanceKey) -> LiveInstance | Site | None:
        """Return what takes requests now, or None: then `wake` makes it."""

    async def wake(self, key: InstanceKey) -> LiveInstance | Site | NoInstance:
        """Return what takes requests: a static site, or an instance, started if need be."""
