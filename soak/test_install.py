"""Install every lock for real, as a stranger's machine, the image and the Action do.

`tests/house` runs the same scripts on made-up machines; here the downloads and wheels are real.
"""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("profile", "words"),
    [("deploy", ["deploy", "--help"]), ("runtime", ["--help"]), ("dev", ["--help"])],
)
def test_a_fresh_environment_from_the_lock_runs_the_command(
    tmp_path: Path, profile: str, words: list[str]
) -> None:
    venv = tmp_path / "venv"
    setup = ROOT / "scripts" / "setup"

    subprocess.run([setup, f"--{profile}", "--no-editable", "--venv", venv], check=True)

    subprocess.run([venv / "bin" / "previewbot", *words], cwd=tmp_path, check=True)
