"""A thousand deployments from eight clients, with a kill -9."""

from pathlib import Path

from tests.subhosting.load import SETTINGS, Load
from tests.subhosting.server import RunningSubhosting


def test_a_thousand_deployments_survive_a_killed_control_api(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", **SETTINGS) as server:
        load = Load(server, count=1000, clients=8)

        load.run_with_a_kill()

        print(load.report())  # noqa: T201 - the figures
        load.assert_nothing_was_lost()
