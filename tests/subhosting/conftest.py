"""One real server for the whole run; a project of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.subhosting.npm_registry import npm_registry
from tests.subhosting.server import Json, RunningSubhosting


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    """Control API and host as processes; tests that kill something start their own."""
    data_dir = tmp_path_factory.mktemp("shared") / "data"
    with npm_registry() as registry:
        # The variable wins over an app's own .npmrc, so no installing stage leaves the machine.
        packages = [["NPM_CONFIG_REGISTRY", registry], ["JSR_URL", registry]]
        with RunningSubhosting(data_dir, warm_up=3, installer_environment=packages) as running:
            yield running


@pytest.fixture
def project(server: RunningSubhosting) -> Json:
    return server.new_project()
