"""One server with short patience, and what its processes hold open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.subhosting.edge.smuggling import APP as ECHO
from tests.subhosting.edge.wire import APP
from tests.subhosting.server import RunningSubhosting


@pytest.fixture(scope="package")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir: Path = tmp_path_factory.mktemp("edge") / "data"
    with RunningSubhosting(data_dir, head_within=0.4, trusted_proxies=["127.0.0.2"]) as running:
        yield running


@pytest.fixture(scope="package")
def app(impatient: RunningSubhosting) -> str:
    project = impatient.new_project()["id"]
    return str(impatient.deployed(project, {"main.ts": APP})["domains"][0])


@pytest.fixture(scope="package")
def echo(impatient: RunningSubhosting) -> str:
    project = impatient.new_project()["id"]
    return str(impatient.deployed(project, {"main.ts": ECHO})["domains"][0])
