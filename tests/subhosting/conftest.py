"""One real server for the whole run; a project of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.subhosting.package_registry import package_registry
from tests.subhosting.server import Json, RunningSubhosting


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    """Control API and host as processes; tests that kill something start their own."""
    data_dir = tmp_path_factory.mktemp("shared") / "data"
    with package_registry() as registry:
        # So no installing stage leaves the machine.
        packages = {"npm_registry": registry, "jsr_registry": registry}
        with RunningSubhosting(data_dir, warm_up=3, **packages) as running:
            yield running


@pytest.fixture
def project(server: RunningSubhosting) -> Json:
    return server.new_project()
