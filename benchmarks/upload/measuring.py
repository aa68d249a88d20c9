"""Run the worker against a git server and a platform that are processes of their own."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.upload.site import Site, make_site
from benchmarks.upload.worker import Memory, Round
from tests.fakes.smart_http import serving_git

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What came out."""

    site: Site
    rounds: Sequence[Round]
    memory: Memory

    @property
    def cat_file_s(self) -> float:
        """The median."""
        return statistics.median(each.cat_file_s for each in self.rounds)

    @property
    def upload_s(self) -> float:
        """The median."""
        return statistics.median(each.upload_s for each in self.rounds)

    @property
    def ratio(self) -> float:
        """The median of what each round's upload took of its own `git cat-file`."""
        return statistics.median(each.upload_s / each.cat_file_s for each in self.rounds)

    @property
    def above_idle_bytes(self) -> int:
        """How much more memory the process had at its peak."""
        return self.memory.peak_bytes - self.memory.idle_bytes


def measured(total_bytes: int, rounds: int, *, one_file: bool = False) -> Figures:
    """Upload a site of that weight so often, its files of all sizes or as good as one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = make_site(folder / "server", total_bytes, one_file=one_file)
        with serving_git(site.served) as server, _sink() as port:
            command = [
                *(sys.executable, "-m", "benchmarks.upload.worker"),
                *("--mirrors", str(folder / "mirrors")),
                *("--git-url", f"http://127.0.0.1:{server.port}"),
                *("--api-url", f"http://127.0.0.1:{port}/v2"),
                *("--commit", site.commit, "--rounds", str(rounds)),
            ]
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=_environment(),
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
    *lines, last = map(json.loads, done.stdout.splitlines())
    return Figures(site=site, rounds=[Round(**each) for each in lines], memory=Memory(**last))


@contextmanager
def _sink() -> Iterator[int]:
    """Run the platform and yield its port."""
    command = [sys.executable, "-m", "benchmarks.upload.sink"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate("", timeout=20)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
