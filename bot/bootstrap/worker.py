"""The worker process: everything that talks to git, forge and target."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import NoReturn

import structlog

from bot.adapters.engine.identities import bell_path
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.wake import ring
from bot.adapters.engine.worker import CONCURRENCY, Work, WorkerConfig, run_worker
from bot.adapters.git.source import GitSource
from bot.adapters.storage import connect, deliveries
from bot.adapters.storage.checks import SqlCheckShelf
from bot.adapters.storage.postings import SqlPostings
from bot.adapters.storage.pulls import SqlPulls
from bot.adapters.storage.store import SqlStore
from bot.bootstrap.forges import forge_from, showing_from
from bot.bootstrap.places import database_url, git_url, mirrors_dir, page_url
from bot.bootstrap.recent import Recent
from bot.bootstrap.schema import prepare_database
from bot.bootstrap.targets import target_from
from bot.bootstrap.variables import variables_from
from bot.core.model.ids import DeliveryKey, DeploymentId
from bot.kernel.clock import Clock, SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.deploy import deploy
from bot.pipeline.intake import take_in
from bot.ports.forge import Forge
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.source import Source
from bot.settings import Settings

# Finished workflows are only of use for looking back; the bot's own records stay.
KEEP_WORKFLOWS = timedelta(days=14)

# Off the road of pushes: 20 packs gather in a busy hour, and an hour is longer than any attempt.
TEND_EVERY = timedelta(hours=1)
SPARED = timedelta(hours=1)

log = structlog.get_logger()


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
    clock = SystemClock()
    forge = forge_from(settings, SqlCheckShelf(opened), clock)
    source = GitSource(mirrors_dir(settings), git_url(settings), forge.git_credential)
    services = _services(settings, opened, forge, source)

    def intake(key: DeliveryKey, journal: Journal) -> None:
        with opened.read.connect() as connection:
            stored = deliveries.load(connection, key)
        take_in(stored.event, key, services, inbox, journal)

    def run_deployment(key: DeploymentId, journal: Journal) -> None:
        deploy(key, services, journal)

    upkeep = Thread(target=_keep_tending, args=(settings, source, clock), daemon=True)
    upkeep.start()
    run_worker(
        WorkerConfig(
            database_url=database_url(settings), data_dir=settings.data_dir, keep=KEEP_WORKFLOWS
        ),
        Work(intake=intake, deploy=run_deployment),
        inbox,
        clock,
        ready,
    )


def _keep_tending(settings: Settings, source: GitSource, clock: Clock) -> None:
    """Look after the mirrors now and then; a daemon, which ends with the process."""
    while True:
        clock.sleep(TEND_EVERY)
        try:
            done = source.tend(
                quota_bytes=settings.mirrors_quota_mb * 1024 * 1024,
                spared_since_s=(clock.now() - SPARED).timestamp(),
            )
        except OSError:
            # The boundary of a job: a full disk now is no reason never to look again.
            log.exception("mirrors_not_tended")
        else:
            log.info("mirrors_tended", repacked=len(done.repacked), evicted=len(done.evicted))


def _services(
    settings: Settings, opened: connect.Engines, forge: Forge, source: Source
) -> Services:
    clock = SystemClock()
    return Services(
        forge=forge,
        source=source,
        target=target_from(settings, clock),
        store=SqlStore(opened, clock, RandomIds()),
        pulls=SqlPulls(opened),
        variables=variables_from(settings, opened),
        clock=clock,
        page_url=partial(page_url, settings),
        build_timeout=timedelta(seconds=settings.build_timeout_s),
        # Two things at most go on beside an attempt: telling its stages, and showing it elsewhere.
        beside=ThreadPoolExecutor(2 * CONCURRENCY, thread_name_prefix="beside"),
        manifests=Recent(),
        bases=Recent(),
        postings=SqlPostings(opened),
        showing=showing_from(settings),
        entrypoint=settings.entrypoint,
    )
