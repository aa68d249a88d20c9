"""The figures of `make bench-redeploy` as Markdown, and the goals beside them."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"

WORKER_GOAL, COMMAND_GOAL, GROWTH_GOAL = 15, 3, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Medians of one contender; None where nothing was counted."""

    name: str
    version: str
    seconds: float
    bytes_up: int | None
    requests: int | None


def table(found: Mapping[int, Sequence[Row]], *, worker: str, command: str) -> str:
    """Return one table a size, and what they say about the goals."""
    parts = [_table(files, rows, worker) for files, rows in found.items()]
    largest = found[max(found)]
    seconds = {row.name: row.seconds for row in largest}
    peers = {row.name: row.seconds for row in largest if row.version}
    lines = []
    if peers:
        best = min(peers, key=peers.__getitem__)
        for name, goal in ((worker, WORKER_GOAL), (command, COMMAND_GOAL)):
            ratio = peers[best] / seconds[name]
            lines.append(f"- {name}: {ratio:.1f} times faster than {best} (goal {goal})")
    if len(found) > 1:
        small = {row.name: row.seconds for row in found[min(found)]}
        growth = f"from {min(found):,} to {max(found):,} files"
        for name in (worker, command, *peers):
            times = seconds[name] / small[name]
            wanted = f" (goal at most {GROWTH_GOAL})" if name == worker else ""
            lines.append(f"- {name}: {times:.2f} times the time {growth}{wanted}")
    return "\n\n".join([*parts, "\n".join(lines)])


def document(name: str, about: str, text: str) -> None:
    """Put a table of today into docs/benchmarks.md, between the marks of `name`."""
    today = dt.datetime.now(tz=dt.UTC).date()
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.release()}"
    versions = f"Python {platform.python_version()}, Node.js {_node()}"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head = f"{begin}\n{today}, {machine}; {versions}.\n{about}\n\n"
    before, _, rest = DOCUMENT.read_text().partition(begin)
    DOCUMENT.write_text(f"{before}{head}{text}\n\n{end}{rest.partition(end)[2]}")


def _node() -> str:
    found = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def _table(files: int, rows: Sequence[Row], worker: str) -> str:
    ours = next(row.seconds for row in rows if row.name == worker)
    lines = [
        f"| {files:,} files | s | of the worker's | requests | bytes up |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} {row.version} | {row.seconds:.3f} | {row.seconds / ours:.1f} "
        f"| {_or_dash(row.requests)} | {_or_dash(row.bytes_up)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _or_dash(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
