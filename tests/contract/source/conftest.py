"""Every source, as fixtures: those with a history, and all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.source.places import (
    InMemory,
    OnDisk,
    OnDiskSha256,
    OverHttp,
    OverHttpSha256,
    Place,
    PlainDirectory,
)

WITH_HISTORY = [InMemory, OnDisk, OnDiskSha256, OverHttp, OverHttpSha256]


@pytest.fixture(params=WITH_HISTORY)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made: Place = request.param(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=[*WITH_HISTORY, PlainDirectory])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made: Place = request.param(tmp_path)
    yield made
    made.close()
