"""The whole conformance suite on PostgreSQL."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_clients_of_others_find_no_difference() -> None:
    command = ["-m", "pytest", "-q", "--store=postgresql", "tests/conformance"]

    ended = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)

    assert ended.returncode == 0
