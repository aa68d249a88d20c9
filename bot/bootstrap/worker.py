"""The worker process: everything that talks to git, forge and target."""

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import NoReturn

from bot.adapters.config.reader import FileConfigReader
from bot.adapters.engine.identities import bell_path
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.wake import ring
from bot.adapters.engine.worker import CONCURRENCY, Work, WorkerConfig, run_worker
from bot.adapters.git.source import GitSource
from bot.adapters.storage import connect, deliveries
from bot.adapters.storage.checks import SqlCheckShelf
from bot.adapters.storage.hook_secrets import SqlHookSecrets
from bot.adapters.storage.postings import SqlPostings
from bot.adapters.storage.pulls import SqlPulls
from bot.adapters.storage.store import SqlStore
from bot.bootstrap.forges import app_registry, connect_forge, showing_from
from bot.bootstrap.keys import vault_from
from bot.bootstrap.lifetimes import lifetimes_from
from bot.bootstrap.made_app import setup_table
from bot.bootstrap.places import database_url, git_url, mirrors_dir, page_url
from bot.bootstrap.recent import Recent
from bot.bootstrap.schema import prepare_database
from bot.bootstrap.targets import runtime_of, targets_from
from bot.bootstrap.upkeep import Job, keep_doing, repeating, sweeping, tending
from bot.bootstrap.variables import variables_from
from bot.core.model.ids import DeliveryKey, DeploymentId, Repository
from bot.kernel.clock import Clock, SystemClock
from bot.kernel.ids import RandomIds
from bot.pipeline.deploy import deploy
from bot.pipeline.intake import take_in
from bot.pipeline.put_off import FailedIntake, put_off
from bot.pipeline.set_up import set_up
from bot.ports.forge import Forge
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.source import Source
from bot.ports.store import Store
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
    clock = SystemClock()
    store = SqlStore(opened, clock, RandomIds())
    hook_secrets = SqlHookSecrets(opened, vault_from(settings))
    connected = connect_forge(
        settings,
        clock,
        shelf=SqlCheckShelf(opened),
        repositories=partial(_repositories, store, hook_secrets),
        hooked=hook_secrets.repositories,
    )
    forge = connected.forge
    source = GitSource(
        mirrors_dir(settings),
        git_url(settings),
        forge.git_credential,
        # An App makes a token for each repository; one from the settings may open any.
        narrow=settings.github_app_id is not None,
    )
    services = _services(settings, opened, store, forge, source)

    def intake(key: DeliveryKey, journal: Journal) -> None:
        with opened.read.connect() as connection:
            stored = deliveries.load(connection, key)
        take_in(stored.event, key, services, inbox, journal)

    def intake_failed(key: DeliveryKey, tries: int, error: Exception, journal: Journal) -> None:
        with opened.read.connect() as connection:
            stored = deliveries.load(connection, key)
        failed = FailedIntake(
            event=stored.event,
            delivery=key,
            received_at=stored.received_at,
            tries=tries,
            error=error,
        )
        put_off(failed, services, inbox, journal)

    def run_deployment(key: DeploymentId, journal: Journal) -> None:
        deploy(key, services, journal)

    attempts = setup_table(settings, opened)
    registry = app_registry(settings, clock)

    def make_app(key: str, journal: Journal) -> None:
        set_up(key, attempts, registry, journal, restart=_restart)

    every = timedelta(seconds=settings.sweep_every_s)
    jobs = [
        tending(source, clock, quota_mb=settings.mirrors_quota_mb),
        sweeping(services, inbox, connected.hooks, connected.grants, every=every),
        repeating(inbox, clock, every=every),
    ]
    run_worker(
        WorkerConfig(
            database_url=database_url(settings),
            data_dir=settings.data_dir,
            new_id=RandomIds().new,
            keep=KEEP_WORKFLOWS,
        ),
        Work(
            intake=intake,
            intake_failed=intake_failed,
            deploy=run_deployment,
            set_up=make_app,
        ),
        inbox,
        clock,
        lambda: _begun(ready, jobs, clock),
    )


def _begun(ready: Callable[[], None], jobs: Sequence[Job], clock: Clock) -> None:
    """Say that deliveries are taken, and begin what is done beside them."""
    ready()
    keep_doing(jobs, clock)


def _restart() -> None:
    """Hand everything back and end; whoever keeps the worker alive starts it with the App."""
    os.kill(os.getpid(), signal.SIGTERM)


def _repositories(store: Store, hook_secrets: SqlHookSecrets) -> list[Repository]:
    """Return the repositories that have a preview or a webhook of their own, each once."""
    found = {repository.id: repository for repository in hook_secrets.repositories()}
    found |= {preview.repository.id: preview.repository for preview in store.standing()}
    return list(found.values())


def _services(
    settings: Settings, opened: connect.Engines, store: Store, forge: Forge, source: Source
) -> Services:
    clock = SystemClock()
    return Services(
        forge=forge,
        source=source,
        configs=FileConfigReader(settings.targets),
        targets=targets_from(settings, clock),
        store=store,
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
        lifetimes=lifetimes_from(settings),
        entrypoint=settings.entrypoint,
        runtime=runtime_of(settings),
    )
