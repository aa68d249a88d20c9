"""Eight deployments of 100 MB at once."""

from pathlib import Path

from tests.subhosting.intake.test_memory import growth_bytes
from tests.subhosting.server import RunningSubhosting


def test_eight_deployments_of_100_mb_add_less_than_200_mb(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        grown = growth_bytes(server, clients=8, size=100_000_000)
        print(f"8 x 100 MB: the API grew by {grown / 1e6:.0f} MB")  # noqa: T201 - the figure
        assert grown < 200_000_000
