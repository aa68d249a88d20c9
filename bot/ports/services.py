"""The frozen bundle of ports that a use case receives."""

from collections.abc import Callable, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.model.config import Lifetimes
from bot.core.model.ids import AppSlug, DeploymentId, PreviewId
from bot.core.model.surfaces import Showing
from bot.kernel.clock import Clock
from bot.ports.config import ConfigReader
from bot.ports.forge import Forge
from bot.ports.postings import Postings
from bot.ports.pulls import Pulls
from bot.ports.source import KnownManifest, Source
from bot.ports.store import Store
from bot.ports.target import Base
from bot.ports.targets import Targets
from bot.ports.variables import Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the outside world is to the pipeline."""

    forge: Forge
    source: Source
    configs: ConfigReader
    targets: Targets
    store: Store
    pulls: Pulls
    variables: Variables
    clock: Clock
    page_url: Callable[[DeploymentId], str | None]  # our page about an attempt
    postings: Postings  # what we wrote on the forge
    build_timeout: timedelta
    beside: Executor  # long-lived threads, so that their connections to the forge stay warm
    # The last ones; either may forget any.
    manifests: MutableMapping[PreviewId, KnownManifest]
    bases: MutableMapping[tuple[str, AppSlug], Base]  # by `Target.name` and project
    # Where on the forge, unless a repository says otherwise.
    showing: Showing = field(default_factory=Showing)
    # Between two words about a running attempt; the first comes at once. GitHub takes 180 writes a
    # minute for a whole installation, and nobody reads faster.
    # https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    between_words: timedelta = timedelta(seconds=2)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)  # the operator's
    # What builds and runs on the usual target, if that is ours; "" where it is somebody else's
    # business.
    runtime: str = ""
    entrypoint: str | None = None  # what the operator says starts the app; None: found by name
