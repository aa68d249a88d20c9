"""A server that stores its counts often."""

from collections.abc import Iterator

import pytest

from tests.subhosting.observation.observing import Talker
from tests.subhosting.server import Json, RunningSubhosting


@pytest.fixture(scope="session")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("observed") / "data"
    with RunningSubhosting(data_dir, analytics_every=0.2) as running:
        yield running


@pytest.fixture
def own_project(observed: RunningSubhosting) -> Json:
    return observed.new_project()


@pytest.fixture
def talker(observed: RunningSubhosting, own_project: Json) -> Talker:
    return Talker(observed, own_project)
