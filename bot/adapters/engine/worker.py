"""The worker process: durable workflows on their queues, from start to a clean hand-back."""

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import structlog
from dbos import DBOS, DBOSConfig
from structlog.contextvars import bound_contextvars

from bot.adapters.engine import identities, lock, presence
from bot.adapters.engine.journal import DbosJournal
from bot.adapters.engine.stopping import StopSignal
from bot.adapters.engine.wake import Bell
from bot.core.model.decisions import Decision, Reason
from bot.core.model.ids import DeliveryGuid, DeliveryKey, DeploymentId, HookId
from bot.kernel.clock import Clock
from bot.kernel.redact import redact
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal

# Only the fallback of the bell. Every queue is a thread that polls; 0.2 s cost 2.6 % of a core.
POLLING = timedelta(seconds=1)

# Deployments (and intakes) at a time. More made webhooks wait for the database: p99 of the 202
# was 87 ms with 4 and 936 without a limit (docs/adr/0001).
CONCURRENCY = 4

# How long a running step may go on after SIGTERM before it is cut off. Steps that take longer
# pause in between, and park there.
STOP_PATIENCE = timedelta(seconds=5)

# DBOS looks for messages between workflows and for schedules; we have neither.
_NEVER_S = 86_400.0

_PRUNE_BATCH = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Where the worker works."""

    database_url: str
    data_dir: Path
    new_id: Callable[[], str]
    keep: timedelta  # finished workflows; their deliveries and deployments are ours and stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the workflows do; the journal's steps are what is remembered of it."""

    intake: Callable[[DeliveryKey, Journal], None]
    # Of an intake that failed: how often it has by now, and why.
    intake_failed: Callable[[DeliveryKey, int, Exception, Journal], None]
    deploy: Callable[[DeploymentId, Journal], None]
    set_up: Callable[[str, Journal], None]  # by the key of an attempt


def run_worker(
    config: WorkerConfig, work: Work, inbox: Inbox, clock: Clock, ready: Callable[[], None]
) -> NoReturn:
    """Work until SIGTERM or SIGINT, hand the rest back, and end the process with status 0.

    `ready` is called when deliveries are being taken and the bell is heard. Call this in the
    main thread of a process that never forks without exec.

    Raises:
        ConfigurationProblem: another worker uses this data directory, or a copy of it.

    """
    held = lock.hold(config.data_dir / "worker.lock", clock)
    stop, bell = StopSignal(), Bell()
    asked_to_stop = _stop_pipe()
    executor = presence.executor_of(config.database_url, config.data_dir, config.new_id)
    present = presence.presence_of(config.database_url, executor, clock)
    if present is not None:
        present.announce()
    workflows = Workflows(work=work, inbox=inbox, stop=stop, bell=bell)
    launch(config.database_url, executor, workflows)
    if present is not None:
        present.watch(taken_over=bell.wake_soon)
    bell.listen(identities.bell_path(config.data_dir))
    bell.wake()
    log.info("worker_started", pid=os.getpid(), executor=executor, lock=held.name)
    ready()
    _tidy(config, clock)

    os.read(asked_to_stop, 1)
    stop.request()
    handed_back = stop.wait_until_parked(STOP_PATIENCE)
    log.info("worker_stopped", steps_cut_off=not handed_back)
    # Parked threads never end, and Python would wait for them. What counts is in the database;
    # the engine is not shut down because that waits for its pollers to come round.
    os._exit(0)


def _tidy(config: WorkerConfig, clock: Clock) -> None:
    try:
        prune(older_than=config.keep, clock=clock)
    except Exception:
        log.exception("workflows_not_pruned")  # they take room, nothing else; next start then


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """The functions that DBOS runs; the process boundary of everything below them."""

    work: Work
    inbox: Inbox
    stop: StopSignal
    bell: Bell

    def intake(self, hook: str, guid: str, tries: int = 0) -> None:
        """Decide about a delivery, after `tries` that failed; nothing that fails is lost."""
        key = DeliveryKey(hook=HookId(hook), guid=DeliveryGuid(guid))
        with self.stop.moving(), bound_contextvars(hook=hook, delivery=guid):
            self.stop.checkpoint()
            journal = DbosJournal(self.stop)
            try:
                self.work.intake(key, journal)
            except Exception as error:
                log.exception("intake_failed", tries=tries + 1)
                self._failed(key, tries + 1, error, journal)
        self.bell.wake_soon()

    def _failed(
        self, key: DeliveryKey, tries: int, error: Exception, journal: DbosJournal
    ) -> None:
        """React to a failure; that this fails too is at least a decision."""
        try:
            self.work.intake_failed(key, tries, error, journal)
        except Exception:
            log.exception("intake_not_put_off")
            detail = redact(f"{type(error).__name__}: {error}")
            failed = Decision(reason=Reason.INTAKE_FAILED, detail=detail)
            self.inbox.decided(key, failed, ())

    def deploy(self, deployment: str) -> None:
        """Run one attempt; the pipeline turns every failure into an end of the attempt."""
        with self.stop.moving(), bound_contextvars(deployment=deployment):
            self.stop.checkpoint()
            try:
                self.work.deploy(DeploymentId(deployment), DbosJournal(self.stop))
            except Exception:
                log.exception("deploy_crashed")
                raise
            finally:
                self.bell.wake_soon()

    def set_up(self, key: str) -> None:
        """Make a GitHub App; the pipeline turns every failure into an end of the attempt."""
        with self.stop.moving():
            self.stop.checkpoint()
            try:
                self.work.set_up(key, DbosJournal(self.stop))
            except Exception:
                log.exception("set_up_crashed")
                raise


def launch(database_url: str, executor: str, workflows: Workflows) -> None:
    """Start the engine's threads: recover what this executor left behind, then watch the queues.

    Nothing is announced or opened: without a conductor key DBOS 3 starts no server and no client.
    """
    _quieten(workflows.stop)
    settings: DBOSConfig = {
        "name": identities.APPLICATION,
        "application_version": identities.APPLICATION_VERSION,
        "executor_id": executor,
        "system_database_url": database_url,
        "log_level": "WARNING",  # below are an advertisement and the listing of queues
        "enable_otlp": False,
        "notification_listener_polling_interval_sec": _NEVER_S,
        "scheduler_polling_interval_sec": _NEVER_S,
    }
    engine = DBOS(config=settings)
    engine.background_thread_stop_events = workflows.bell.events()
    _register(workflows)
    DBOS.launch()
    for queue in (identities.INTAKE, identities.DEPLOY, identities.SETUP):
        DBOS.register_queue(
            queue,
            partition_concurrency=1,
            worker_concurrency=CONCURRENCY,
            polling_interval_sec=POLLING.total_seconds(),
        )
    workflows.bell.wake()  # a queue that is new is else first looked at after a poll
    workflows.bell.wake_soon()  # recovery runs in a thread of the engine's


def _register(workflows: Workflows) -> None:
    @DBOS.workflow(name=identities.INTAKE)
    def intake(hook: str, guid: str, tries: int = 0) -> None:  # no bound method: DBOS writes on it
        workflows.intake(hook, guid, tries)

    @DBOS.workflow(name=identities.DEPLOY)
    def deploy(deployment: str) -> None:
        workflows.deploy(deployment)

    @DBOS.workflow(name=identities.SETUP)
    def set_up(key: str) -> None:
        workflows.set_up(key)


def prune(*, older_than: timedelta, clock: Clock) -> int:
    """Delete the engine's record of workflows that ended before then; return how many."""
    before = (clock.now() - older_than).isoformat()
    deleted = 0
    while True:
        ended = DBOS.list_workflows(
            completed_before=before, limit=_PRUNE_BATCH, load_input=False, load_output=False
        )
        if not ended:
            return deleted
        DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
        deleted += len(ended)


def _stop_pipe() -> int:
    """Return a descriptor that becomes readable on SIGTERM or SIGINT.

    A handler may run while the main thread holds any lock, so it does nothing but write.
    """
    readable, writable = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(writable, b"!"))
    return readable


def _quieten(stop: StopSignal) -> None:
    """Let the engine's log go where ours goes, and say nothing while the process ends."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # else DBOS adds one of its own
    logger.addFilter(lambda _: not stop.is_requested)
