"""A small load with a control API killed in its middle; the full one is in soak/test_load.py."""

from pathlib import Path

from tests.subhosting.load import SETTINGS, Load
from tests.subhosting.server import RunningSubhosting


def test_what_was_answered_survives_a_killed_control_api(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", **SETTINGS) as server:
        load = Load(server, count=40, clients=4)

        load.run_with_a_kill()

        load.assert_nothing_was_lost()
