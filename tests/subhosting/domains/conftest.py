"""One world for all tests of domains; each test has domains and projects of its own."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.subhosting.domains.world import World, running_world

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("domains") / "data") as running:
        yield running


@pytest.fixture
def name() -> str:
    """Return a domain that no other test uses."""
    return f"shop{next(_NUMBERS)}.example"
