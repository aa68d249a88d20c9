"""Every source, as fixtures: those with a history, and all."""

from pathlib import Path

import pytest

from tests.contract.source.places import InMemory, OnDisk, OnDiskSha256, Place, PlainDirectory


@pytest.fixture(params=[InMemory, OnDisk, OnDiskSha256])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    made: Place = request.param(tmp_path)
    return made


@pytest.fixture(params=[InMemory, OnDisk, OnDiskSha256, PlainDirectory])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    made: Place = request.param(tmp_path)
    return made
