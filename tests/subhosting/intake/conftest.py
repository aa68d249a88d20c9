"""One server with small limits for the whole room."""

from collections.abc import Iterator

import pytest

from tests.subhosting.intake.limited import LIMITS
from tests.subhosting.server import Json, RunningSubhosting


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("limited") / "data"
    with RunningSubhosting(data_dir, warm_up=3, limits=LIMITS) as running:
        yield running


@pytest.fixture
def small(limited: RunningSubhosting) -> Json:
    """Return a project of the server with small limits."""
    return limited.new_project()
