"""docs/benchmarks.md: each benchmark writes its own figures there, and what they depend on."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bot.subhosting.config import deno_beside_python

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What was measured, what was to be reached, and whether it was."""

    found: str
    wanted: str
    kept: bool


def goals_text(goals: Sequence[Goal]) -> str:
    """Return the goals as a list in Markdown."""
    return "\n".join(
        f"- {goal.found} (goal: {goal.wanted}{'' if goal.kept else '; missed'})" for goal in goals
    )


def status(goals: Sequence[Goal]) -> int:
    """Return the exit code: 1 when a goal is missed."""
    return 0 if all(goal.kept for goal in goals) else 1


def keep(name: str, about: str, text: str) -> None:
    """Put a table of today into docs/benchmarks.md, between the marks of `name`."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head = f"{begin}\n{dt.datetime.now(tz=dt.UTC).date()}, {machine()}; {versions()}.\n{about}\n\n"
    before, _, rest = DOCUMENT.read_text().partition(begin)
    DOCUMENT.write_text(f"{before}{head}{text}\n{end}{rest.partition(end)[2]}")


def machine() -> str:
    """Return processors, memory and system, as far as the system tells."""
    model = _fact("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB of memory, {system}"


def versions() -> str:
    """Return what all figures depend on: ours with its commit, and the programs below it."""
    ours = f"previewbot {version('previewbot')}"
    if commit := _first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"):
        ours += f" ({commit})"
    found = [
        _first_line("git", "--version").replace(" version", ""),
        f"Python {platform.python_version()}",
        " ".join(_first_line(str(deno_beside_python()), "--version").split()[:2]),
    ]
    if node := _first_line("node", "--version"):
        found.append(f"Node.js {node}")
    return ", ".join([ours, *found])


def _first_line(*command: str) -> str:
    """Return how the output of a command begins; nothing where there is no such command."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""
    return done.stdout.partition("\n")[0].strip()


def _fact(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    values = (line.partition(":")[2].strip() for line in lines if line.startswith(key))
    return next(values, "")
