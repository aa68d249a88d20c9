"""The words people type: quiet on standard output, set up once, offline after that."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.machine import ROOT

# Stands in for scripts/setup: notes the call and makes commands that print their arguments.
SETUP = """#!/bin/sh
exec 1>&2
echo "$*" >> setups
mkdir -p .venv/bin
for name in previewbot python; do
    printf '#!/bin/sh\\necho %s "$@"\\nexit "${ENDS_WITH:-0}"\\n' "$name" > ".venv/bin/$name"
    chmod +x ".venv/bin/$name"
done
"""


class Checkout:
    """A fresh clone in which only the Makefile is real."""

    def __init__(self, root: Path) -> None:
        """Fill `root` with what the Makefile looks at."""
        self.root = root
        shutil.copy(ROOT / "Makefile", root)
        shutil.copy(ROOT / "pyproject.toml", root)
        shutil.copytree(ROOT / "requirements", root / "requirements")
        (root / "scripts").mkdir()
        (root / "scripts" / "setup").write_text(SETUP)
        (root / "scripts" / "setup").chmod(0o755)

    def make(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the real make here."""
        return subprocess.run(
            ["make", *args],
            cwd=self.root,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def setups(self) -> list[str]:
        """Return the arguments of every set-up so far."""
        log = self.root / "setups"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_demo_sets_up_and_its_output_is_the_whole_standard_output(checkout: Checkout) -> None:
    made = checkout.make("demo", "ARGS=--once --json")

    assert made.stdout == "previewbot demo --once --json\n"
    assert checkout.setups() == ["--runtime --venv .venv"]


def test_test_runs_the_whole_suite_and_deselects_nothing(checkout: Checkout) -> None:
    made = checkout.make("test")

    assert made.stdout == "python -m pytest -n auto\n"
    assert checkout.setups() == ["--dev --venv .venv"]


@pytest.mark.parametrize("word", ["demo", "test"])
def test_the_second_run_sets_nothing_up(checkout: Checkout, word: str) -> None:
    checkout.make(word)
    checkout.make(word)

    assert len(checkout.setups()) == 1


def test_what_test_set_up_will_do_for_demo(checkout: Checkout) -> None:
    checkout.make("test")
    checkout.make("demo")

    assert checkout.setups() == ["--dev --venv .venv"]


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.make("test")
    stamp = (checkout.root / ".venv" / ".ready-dev").stat().st_mtime
    os.utime(checkout.root / "requirements" / "dev.txt", (stamp + 1, stamp + 1))

    checkout.make("test")

    assert len(checkout.setups()) == 2


def test_a_set_up_that_failed_is_tried_again(checkout: Checkout) -> None:
    setup = checkout.root / "scripts" / "setup"
    setup.write_text("#!/bin/sh\nexit 1\n")
    failed = checkout.make("demo")
    setup.write_text(SETUP)

    made = checkout.make("demo")

    assert failed.returncode != 0
    assert made.stdout == "previewbot demo\n"


def test_a_failing_command_fails_make(checkout: Checkout) -> None:
    assert checkout.make("demo", ENDS_WITH="3").returncode != 0


def test_make_alone_lists_the_words(checkout: Checkout) -> None:
    made = checkout.make()

    words = {line.split()[1] for line in made.stdout.splitlines() if line.startswith("make ")}
    assert {"demo", "test", "lint", "soak", "bench", "lock"} <= words
    assert checkout.setups() == []
