"""The worker process: everything that talks to git, forge and target."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import NoReturn

from bot.adapters.engine.identities import bell_path
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.wake import ring
from bot.adapters.engine.worker import CONCURRENCY, Work, WorkerConfig, run_worker
from bot.adapters.git.source import GitSource
from bot.adapters.storage import connect, deliveries
from bot.adapters.storage.checks import SqlCheckShelf
from bot.adapters.storage.store import SqlStore
from bot.bootstrap.forges import forge_from
from bot.bootstrap.places import database_url, git_url, mirrors_dir, page_url
from bot.bootstrap.recent import Recent
from bot.bootstrap.schema import prepare_database
from bot.bootstrap.targets import target_from
from bot.core.model.ids import DeliveryKey, DeploymentId
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.deploy import deploy
from bot.pipeline.intake import take_in
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.settings import Settings

# Finished workflows are only of use for looking back; the bot's own records stay.
KEEP_WORKFLOWS = timedelta(days=14)


def run(settings: Settings, ready: Callable[[], None]) -> NoReturn:
    """Work until SIGTERM; `ready` is called when deliveries are being taken.

    Raises:
        ConfigurationProblem: a setting is wrong, or another worker holds the data directory.

    """
    prepare_database(settings)
    opened = connect.engines(database_url(settings))
    inbox = DurableInbox(
        read=opened.read,
        write=opened.write,
        deliveries=deliveries,
        wake=partial(ring, bell_path(settings.data_dir)),
    )
    services = _services(settings, opened)

    def intake(key: DeliveryKey, journal: Journal) -> None:
        with opened.read.connect() as connection:
            stored = deliveries.load(connection, key)
        take_in(stored.event, key, services, inbox, journal)

    def run_deployment(key: DeploymentId, journal: Journal) -> None:
        deploy(key, services, journal)

    run_worker(
        WorkerConfig(
            database_url=database_url(settings), data_dir=settings.data_dir, keep=KEEP_WORKFLOWS
        ),
        Work(intake=intake, deploy=run_deployment),
        inbox,
        services.clock,
        ready,
    )


def _services(settings: Settings, opened: connect.Engines) -> Services:
    clock = SystemClock()
    forge = forge_from(settings, SqlCheckShelf(opened), clock)
    return Services(
        forge=forge,
        source=GitSource(mirrors_dir(settings), git_url(settings), forge.git_credential),
        target=target_from(settings, clock),
        store=SqlStore(opened, clock, RandomIds()),
        clock=clock,
        page_url=partial(page_url, settings),
        build_timeout=timedelta(seconds=settings.build_timeout_s),
        beside=ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="beside"),
        manifests=Recent(),
        bases=Recent(),
        entrypoint=settings.entrypoint,
    )
