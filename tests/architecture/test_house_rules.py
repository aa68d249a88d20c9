"""Rules no linter knows."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
DRAWERS = {"utils", "util", "helpers", "misc", "common", "base", "manager"}
CLOCK = ROOT / "bot" / "kernel" / "clock.py"
SOURCES = sorted((ROOT / "bot").rglob("*.py"))
PYTHON = sorted(file for room in ("bot", "tests", "soak") for file in (ROOT / room).rglob("*.py"))

# In pieces, so that this file holds none of what it looks for.
MOCKS = "unittest." + "mock"
SLEEP = "time." + "sleep("
REGISTRIES = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "registry.yarnpkg" + ".com",
    "npm.jsr" + ".io",
    "deb.debian" + ".org",
    "archive.ubuntu" + ".com",
    "proxy.golang" + ".org",
]
MACHINE_PATHS = re.compile(r"(?<![\w.~$}*-])/(?:root|work|Users)/[\w.]")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def committed_texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that git has or would take, binary ones excepted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for file in filter(None, listed.stdout.split("\0")):
        path = ROOT / file
        if not path.is_file():
            continue  # deleted, and the deletion not committed yet
        content = path.read_bytes()
        if b"\0" not in content:
            yield file, content.decode("utf-8", errors="replace")


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_fits_on_ten_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_there_is_no_drawer_for_odds_and_ends(path: Path) -> None:
    assert not DRAWERS & set(path.relative_to(ROOT).with_suffix("").parts)


def test_doubles_have_memory_and_never_scripts() -> None:
    assert [name(path) for path in PYTHON if MOCKS in path.read_text(encoding="utf-8")] == []


def test_nothing_sleeps_but_the_clock() -> None:
    sleepers = [path for path in PYTHON if SLEEP in path.read_text(encoding="utf-8")]

    assert [name(path) for path in sleepers if path != CLOCK] == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    found = [
        (file, host) for file, text in committed_texts() for host in REGISTRIES if host in text
    ]

    assert found == []


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    found = [
        (file, match.group())
        for file, text in committed_texts()
        for match in MACHINE_PATHS.finditer(text)
    ]

    assert found == []
