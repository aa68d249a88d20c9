"""The figures of `make bench-redeploy` as Markdown, and the goals beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.document import Goal

WORKER_GOAL, COMMAND_GOAL, GROWTH_GOAL = 15, 3, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Medians of one contender; None where nothing was counted."""

    name: str
    version: str
    seconds: float
    bytes_up: int | None
    requests: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A tool that could not be measured, and what was tried."""

    name: str
    reason: str


def table(found: Mapping[int, Sequence[Row]], absent: Sequence[Absent], *, worker: str) -> str:
    """Return one table a size, and below them who is in none."""
    parts = [_table(files, rows, worker) for files, rows in found.items()]
    parts += [f"Not measured: {each.name}. {each.reason}" for each in absent]
    return "\n\n".join(parts)


def goals_of(found: Mapping[int, Sequence[Row]], *, worker: str, command: str) -> list[Goal]:
    """Return what the figures say about the goals, against the best of all the others."""
    ours = {worker: WORKER_GOAL, command: COMMAND_GOAL}
    seconds = {row.name: row.seconds for row in found[max(found)]}
    others = {name: took for name, took in seconds.items() if name not in ours}
    goals: list[Goal] = []
    if others:
        best = min(others, key=others.__getitem__)
        for name, wanted in ours.items():
            ratio = others[best] / seconds[name]
            goals.append(
                Goal(
                    found=f"{name}: {ratio:.1f} times faster than {best}",
                    wanted=f"at least {wanted}",
                    kept=ratio >= wanted,
                )
            )
    if len(found) > 1:
        small = {row.name: row.seconds for row in found[min(found)]}
        for name in ours:
            times = seconds[name] / small[name]
            text = f"{name}: {times:.2f} times the time"
            goals.append(
                Goal(
                    found=f"{text} from {min(found):,} to {max(found):,} files",
                    wanted=f"at most {GROWTH_GOAL}",
                    kept=times <= GROWTH_GOAL,
                )
            )
    return goals


def growth_of_others(found: Mapping[int, Sequence[Row]], ours: Sequence[str]) -> str:
    """Return how much longer the others take for the larger site, as a list in Markdown."""
    if len(found) == 1:
        return ""
    small = {row.name: row.seconds for row in found[min(found)]}
    return "\n".join(
        f"- {row.name}: {row.seconds / small[row.name]:.2f} times the time"
        for row in found[max(found)]
        if row.name not in ours and row.name in small
    )


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
