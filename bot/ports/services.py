"""The frozen bundle of ports that a use case receives."""

from collections.abc import Callable, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from bot.core.model.ids import AppSlug, DeploymentId, PreviewId
from bot.kernel.clock import Clock
from bot.ports.forge import Forge
from bot.ports.source import KnownManifest, Source
from bot.ports.store import Store
from bot.ports.target import Base, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the outside world is to the pipeline."""

    forge: Forge
    source: Source
    target: Target
    store: Store
    clock: Clock
    page_url: Callable[[DeploymentId], str | None]  # our page about an attempt
    build_timeout: timedelta
    beside: Executor  # long-lived threads, so that their connections to the forge stay warm
    # The last ones; either may forget any.
    manifests: MutableMapping[PreviewId, KnownManifest]
    bases: MutableMapping[AppSlug, Base]
    entrypoint: str | None = None  # what the operator says starts the app; None: found by name
