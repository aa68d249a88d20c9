"""A server whose host has a clock that tests can put forward."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.kernel.clock import SystemClock
from tests.subhosting.server import Json, RunningSubhosting


@dataclass
class MovedHost:
    """Puts the host's clock forward, always to the very end of a minute."""

    server: RunningSubhosting
    ahead: Path
    minutes: int = 0

    def next_minute(self) -> None:
        """Let the next minute begin for the host; it looks within a second."""
        self.minutes += 1
        written = self.ahead.with_suffix(".new")
        written.write_text(str(self.minutes * 60), encoding="utf-8")
        written.replace(self.ahead)


@pytest.fixture(scope="session")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MovedHost]:
    data_dir = tmp_path_factory.mktemp("crons") / "data"
    ahead = data_dir.with_name(f"{data_dir.name}.ahead")
    with RunningSubhosting(data_dir) as running:
        yield MovedHost(running, ahead)


@pytest.fixture
def project(moved: MovedHost) -> Json:
    return moved.server.new_project()


@pytest.fixture
def database(moved: MovedHost) -> Json:
    path = f"/v1/organizations/{moved.server.organization}/databases"
    made: Json = moved.server.call("POST", path, {"description": "crons"}).json
    return made


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()
