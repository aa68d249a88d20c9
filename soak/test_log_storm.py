"""A hundred thousand lines at once; its small twin is tests/subhosting/observation/test_storm."""

from pathlib import Path

from tests.subhosting.observation.storm import stored_after_a_storm

LINES = 100_000


def test_a_hundred_thousand_lines_arrive_whole_and_in_order(tmp_path: Path) -> None:
    found = stored_after_a_storm(tmp_path / "data", LINES)

    assert found == [f"line {number}" for number in range(LINES)]
