"""`kill -9` of the worker while it creates a deployment, with the platform's API behind a gate."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.core.model.preview import Deployment
from tests.e2e.author import Author
from tests.e2e.gate import Gate
from tests.e2e.installation import Installation


@dataclass(frozen=True)
class GatedInstallation:
    """An installation whose worker reaches the platform through a gate."""

    installation: Installation
    gate: Gate

    def kill_worker(self) -> psutil.Process:
        """End the worker with SIGKILL; returns when it is gone."""
        worker = self.installation.child("bot", "worker")
        worker.kill()
        worker.wait(10)
        return worker

    @contextmanager
    def database_locked(self) -> Iterator[None]:
        """Let nobody write into the bot's database, and so no checkpoint either."""
        database = self.installation.data_dir / "previewbot.db"
        with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def steps_recorded(self, deployment: Deployment) -> list[str]:
        """Return the steps that the journal remembers of the attempt, in their order."""
        database = self.installation.data_dir / "previewbot.db"
        workflow = f"deploy/{deployment.preview.id}/{deployment.generation}"
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            rows = connection.execute(
                "SELECT function_name FROM operation_outputs"
                " WHERE workflow_uuid = ? ORDER BY function_id",
                (workflow,),
            )
            return [name for (name,) in rows]


@contextmanager
def gated_installation(folder: Path) -> Iterator[GatedInstallation]:
    with Gate().open() as gate:
        environment = {"PREVIEWBOT_TARGET_URL": gate.url}
        with Installation(folder / "data", environment) as installation:
            api = installation.child("subhosting", "api")
            listening = [
                connection.laddr.port
                for connection in api.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            ]
            gate.upstream = f"http://127.0.0.1:{listening[0]}"
            yield GatedInstallation(installation, gate)


Kill = Callable[[GatedInstallation, Callable[[], None]], None]


def before_the_create_leaves(gated: GatedInstallation, push: Callable[[], None]) -> None:
    """The worker has asked which blobs the platform lacks; the create would be next."""
    with gated.gate.holding("/assets/negotiate", let_in=False) as hold:
        push()
        hold.until_reached()
        gated.kill_worker()


def while_the_create_is_on_its_way(gated: GatedInstallation, push: Callable[[], None]) -> None:
    """The create has left the worker, and no server ever sees it."""
    with gated.gate.holding("/deployments", let_in=False) as hold:
        push()
        hold.until_reached()
        gated.kill_worker()


def before_the_answer_comes(gated: GatedInstallation, push: Callable[[], None]) -> None:
    """The platform has stored the deployment; the worker does not know."""
    with gated.gate.holding("/deployments", let_in=True) as hold:
        push()
        hold.until_reached()
        gated.kill_worker()


def before_the_checkpoint(gated: GatedInstallation, push: Callable[[], None]) -> None:
    """The worker has read the answer, and cannot write anything down."""
    with gated.gate.holding("/deployments", let_in=True) as hold:
        push()
        hold.until_reached()
        with gated.database_locked():
            hold.released.set()
            hold.until_read()
            gated.kill_worker()


KILLS: tuple[Kill, ...] = (
    before_the_create_leaves,
    while_the_create_is_on_its_way,
    before_the_answer_comes,
    before_the_checkpoint,
)


def survive(gated: GatedInstallation, author: Author, kill: Kill) -> None:
    """Push, kill the worker at one point, and see the restarted one finish the same attempt."""
    heads = []

    def push() -> None:
        heads.append(author.push(f"Alive after {kill.__name__}"))

    kill(gated, push)
    with gated.installation.reader() as reader:
        recorded = [gated.steps_recorded(one) for one in author.attempts(reader)]
    ended = author.ended(heads[0])

    # This file is no test, so pytest shows no values of its own accord.
    told = f"{kill.__name__}: {ended.state} {ended.title}, checkpoints at the kill: {recorded}"
    assert recorded == [["begin", "acquire"]], told
    assert ended.state == "live", told
    assert author.served(heads[0]).status == 200, told
    with gated.installation.reader() as reader:
        attempts = author.attempts(reader)
        check = reader.checks.of(ended.id)
    assert attempts == [ended], f"{told}; attempts: {attempts}"
    assert check is not None, told
    assert (check.status, check.conclusion) == ("completed", "success"), f"{told}; {check}"
    on_platform = author.on_platform()
    assert [one["id"] for one in on_platform] == [ended.target_id], f"{told}; {on_platform}"
