"""A fresh SQLite file with our tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.storage import connect


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/not/yet/there/bot.db"


@pytest.fixture
def engines(url: str) -> Iterator[connect.Engines]:
    connect.prepare(url)
    engines = connect.engines(url)
    yield engines
    engines.dispose()
