"""A worker process whose work is told by each delivery's body and shown on standard output.

The body is a JSON list of [deployment, preview, generation]; "fail" makes intake fail while the
file `go` is missing, "fail for good" its putting off too. What a deployment does is the road named
on the command line. Run as
`python -m tests.integration.engine.program DATA_DIR ROAD POLLING_S KEEP_DAYS [DATABASE_URL]`.
"""

import functools
import json
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from bot.adapters.engine import identities, presence, schema, worker
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.wake import ring
from bot.adapters.storage import connect, deliveries
from bot.core.model.decisions import Decision, Reason
from bot.core.model.ids import DeliveryKey, DeploymentId, Generation, PreviewId
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.ports.inbox import QueuedDeployment
from bot.ports.journal import Journal

DATA_DIR = Path(sys.argv[1])
GO = DATA_DIR / "go"  # while it is missing, a road waits at its second step
TICK = timedelta(milliseconds=10)

other_began = threading.Event()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def hang(deployment: DeploymentId, journal: Journal) -> None:
    """Hang in the second step, as a request without an answer would."""
    journal.step("one", lambda: say(f"{deployment} one"))
    journal.step("two", lambda: hang_in(deployment))
    journal.step("three", lambda: say(f"{deployment} three"))


def hang_in(deployment: DeploymentId) -> None:
    say(f"{deployment} two")
    if not GO.exists():
        threading.Event().wait()


def watch(deployment: DeploymentId, journal: Journal) -> None:
    """Pause in the second step until there is something to see."""
    journal.step("one", lambda: say(f"{deployment} one"))
    journal.step("two", lambda: watch_in(deployment, journal))
    journal.step("three", lambda: say(f"{deployment} three"))


def watch_in(deployment: DeploymentId, journal: Journal) -> None:
    say(f"{deployment} two")
    while not GO.exists():
        journal.pause(TICK)


def finish(deployment: DeploymentId, journal: Journal) -> None:
    """Be in the middle of an effect when the stop comes, and finish it."""
    journal.step("one", lambda: listen(deployment))
    journal.step("two", lambda: watch_in(deployment, journal))


def listen(deployment: DeploymentId) -> None:
    say(f"{deployment} one")
    sys.stdin.readline()


def meet(deployment: DeploymentId, journal: Journal) -> None:
    """Be the first of its preview, which ends only when another preview's has begun."""
    journal.step("one", lambda: say(f"{deployment} begins"))
    if deployment == "other":
        other_began.set()
    other_began.wait()
    journal.step("two", lambda: say(f"{deployment} ends"))


ROADS: dict[str, Callable[[DeploymentId, Journal], None]] = {
    "hang": hang,
    "watch": watch,
    "finish": finish,
    "meet": meet,
}


def main() -> None:
    structlog.configure(
        processors=[lambda _logger, _method, event: str(event["event"])],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    url = (*sys.argv[5:], f"sqlite:///{DATA_DIR}/bot.db")[0]
    connect.prepare(url)
    schema.prepare(url)
    engines = connect.engines(url)
    inbox = DurableInbox(
        read=engines.read,
        write=engines.write,
        deliveries=deliveries,
        wake=functools.partial(ring, identities.bell_path(DATA_DIR)),
    )

    def intake(key: DeliveryKey, journal: Journal) -> None:
        with engines.read.connect() as connection:
            body = deliveries.load(connection, key).body
        if body.startswith(b"fail") and not GO.exists():
            msg = "GitHub said token ghs_secret is unwell"
            raise ValueError(msg)
        journal.step("say", lambda: say(f"intake {key.guid}"))
        queued = [
            QueuedDeployment(
                deployment=deployment, preview=PreviewId(preview), generation=Generation(number)
            )
            for deployment, preview, number in json.loads(body.removeprefix(b"fail") or b"[]")
        ]
        inbox.decided(key, Decision(reason=Reason.DEPLOY, detail="because"), queued)

    def intake_failed(key: DeliveryKey, tries: int, error: Exception, journal: Journal) -> None:
        with engines.read.connect() as connection:
            body = deliveries.load(connection, key).body
        if body == b"fail for good":
            raise error
        again_at = SystemClock().now()
        put_off = functools.partial(
            inbox.put_off, key, tries=tries, problem="away", again_at=again_at
        )
        journal.step("put_off", put_off)
        journal.step("say", lambda: say(f"put off {key.guid} {tries}"))

    say("prepared")
    presence.BEAT, presence.GRACE = timedelta(seconds=0.1), timedelta(seconds=1)
    worker.POLLING = timedelta(seconds=float(sys.argv[3]))
    worker.run_worker(
        worker.WorkerConfig(
            database_url=url,
            data_dir=DATA_DIR,
            new_id=RandomIds().new,
            keep=timedelta(days=float(sys.argv[4])),
        ),
        worker.Work(
            intake=intake,
            intake_failed=intake_failed,
            deploy=ROADS[sys.argv[2]],
            set_up=lambda *_: None,
        ),
        inbox,
        SystemClock(),
        lambda: say("ready"),
    )


if __name__ == "__main__":
    main()
