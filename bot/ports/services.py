"""The frozen bundle of ports that a use case receives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.core.model.ids import DeploymentId
from bot.kernel.clock import Clock
from bot.ports.forge import Forge
from bot.ports.inbox import Inbox
from bot.ports.source import Source
from bot.ports.store import Store
from bot.ports.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the outside world is to the pipeline."""

    forge: Forge
    source: Source
    target: Target
    store: Store
    inbox: Inbox
    clock: Clock
    page_url: Callable[[DeploymentId], str | None]  # our page about an attempt
    build_timeout: timedelta
