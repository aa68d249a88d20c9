"""Two workers over one PostgreSQL: that of `previewbot up`, and one beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.kernel.processes import built_environment
from tests.e2e.deploying import embedded
from tests.e2e.github_world import GitHubWorld, as_app
from tests.e2e.patience import until
from tests.plugins.postgresql import Postgresql


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, postgresql: Postgresql
) -> Iterator[GitHubWorld]:
    shared = {
        "PREVIEWBOT_DATABASE_URL": postgresql.new_database(),
        "PREVIEWBOT_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }
    with as_app(tmp_path_factory.mktemp("several"), **shared) as world:
        yield world


@contextmanager
def beside(world: GitHubWorld, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker with a data directory of its own, as on another machine."""
    log = folder / "worker.log"
    settings = {
        **world.installation.environment,
        **embedded(world.installation.address),
        "PREVIEWBOT_DATA_DIR": str(folder / "data"),
    }
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "bot", "worker"],
            env=built_environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        until(lambda: "worker_started" in log.read_text() or None, f"a worker in {log}")
        yield worker
    finally:
        worker.kill()
        worker.wait(30)


@contextmanager
def suspended(world: GitHubWorld) -> Iterator[None]:
    """Let the worker of `previewbot up` do nothing, and still be there."""
    first = world.installation.child("bot", "worker")
    first.suspend()
    try:
        yield
    finally:
        first.resume()


def test_two_workers_carry_out_each_push_once(world: GitHubWorld, tmp_path: Path) -> None:
    repositories = [world.gh.add_repository(f"octo/shared-{number}") for number in range(4)]

    with beside(world, tmp_path):
        pushed = [(repository, world.push(repository)) for repository in repositories]
        ended = [world.checked(repository, sha) for repository, sha in pushed]

    assert [run.conclusion for run in ended] == ["success"] * len(repositories)
    for repository, sha in pushed:
        assert len(world.gh.checks(repository, sha)) == 1
        assert len(world.gh.deployments(repository)) == 1


def test_what_a_worker_was_killed_in_the_middle_of_is_done_by_the_other(
    world: GitHubWorld, tmp_path: Path
) -> None:
    repository = world.gh.add_repository("octo/lost")

    with suspended(world), beside(world, tmp_path) as second, world.git.gate():
        sha = world.push(repository)
        with world.git.held_at_fetch():
            os.kill(second.pid, signal.SIGKILL)
            second.wait(30)

    run = world.checked(repository, sha)
    assert run.conclusion == "success"
    assert len(world.gh.checks(repository, sha)) == 1
    assert world.get(world.url_in(run)).headers["x-preview-sha"] == sha
