"""A server on disk, a source that reads it, and a git that keeps a diary."""

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.git.source import GitSource
from tests.integration.git.origin import Origin

_WRAPPER = """\
#!/bin/sh
{{ env; echo "--- argv"; for word in "$@"; do printf '%s\\n' "$word"; done; }} > "{diary}/$$"
exec {git} "$@"
"""


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "server")


@pytest.fixture
def source(tmp_path: Path, origin: Origin) -> GitSource:
    return GitSource(tmp_path / "mirrors", origin.base_url, lambda _repository: None)


@dataclass
class Diary:
    """Environment and arguments of every git that was started."""

    directory: Path

    def pages(self) -> list[str]:
        return [page.read_text() for page in sorted(self.directory.iterdir())]

    def names(self) -> set[str]:
        """Return the names of all variables that any git saw."""
        lines = (line for page in self.pages() for line in page.split("--- argv")[0].splitlines())
        return {line.partition("=")[0] for line in lines if "=" in line}

    def still_running(self) -> list[int]:
        """Return the pids of those that have not ended."""
        pids = (int(page.name) for page in self.directory.iterdir())
        return [pid for pid in pids if _is_alive(pid)]

    def count(self, command: str) -> int:
        return sum(f"\n{command}\n" in page.split("--- argv")[1] for page in self.pages())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def diary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Diary:
    real = shutil.which("git")
    assert real is not None
    folder, pages = tmp_path / "bin", tmp_path / "diary"
    folder.mkdir()
    pages.mkdir()
    wrapper = folder / "git"
    wrapper.write_text(_WRAPPER.format(diary=pages, git=real))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return Diary(pages)
