"""One real server for the whole run; a project of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.subhosting.server import Json, RunningSubhosting


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    """Control API and host as processes; tests that kill something start their own."""
    with RunningSubhosting(tmp_path_factory.mktemp("shared") / "data", warm_up=3) as running:
        yield running


@pytest.fixture
def project(server: RunningSubhosting) -> Json:
    return server.new_project()
