"""Figures as a table, on the terminal and in docs/benchmarks.md."""

import datetime as dt
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

_DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- bench-router: begin -->", "<!-- bench-router: end -->"

# What docs/adr/0003 promises of our router.
_LEAST_OF_DIRECT = 0.50
_MOST_OF_HAPROXY_CPU = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run, or the median of several, each figure by itself."""

    rps: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    pss_mib: float

    @classmethod
    def median(cls, runs: Sequence["Figures"]) -> Self:
        """Return the median of every figure."""
        names = [field.name for field in fields(cls)]
        return cls(
            **{name: statistics.median(getattr(run, name) for run in runs) for name in names}
        )


Medians = Mapping[str, Mapping[int, Figures]]


def table(medians: Medians, missing: Sequence[str]) -> str:
    """Return the table in Markdown, with the goals below it."""
    direct = medians["direct"]
    lines = [
        "| | requests/s | of direct | CPU us/request | p50 ms | p99 ms | p50 ms, c=1 | Pss MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, by_count in medians.items():
        many, one = by_count[32], by_count[1]
        lines.append(
            f"| {name} | {many.rps:,.0f} | {many.rps / direct[32].rps:.2f} | {many.cpu_us:.1f} "
            f"| {many.p50_ms:.2f} | {many.p99_ms:.2f} | {one.p50_ms:.3f} | {many.pss_mib:.0f} |"
        )
    lines += [f"| {name} | not installed | | | | | | |" for name in missing]
    return "\n".join([*lines, "", *_goals(medians)])


def _goals(medians: Medians) -> list[str]:
    ours = medians["previewbot"][32]
    of_direct = ours.rps / medians["direct"][32].rps
    lines = [f"- requests/s of direct: {of_direct:.2f} (goal: at least {_LEAST_OF_DIRECT:.2f})"]
    if "nginx" in medians:
        ratio = ours.rps / medians["nginx"][32].rps
        lines.append(f"- requests/s of nginx's: {ratio:.2f} (goal: at least 1.00)")
    if "HAProxy" in medians:
        ratio = ours.cpu_us / medians["HAProxy"][32].cpu_us
        lines.append(
            f"- CPU per request of HAProxy's: {ratio:.2f} (goal: at most {_MOST_OF_HAPROXY_CPU})"
        )
    return lines


def document(
    medians: Medians,
    missing: Sequence[str],
    versions: Mapping[str, str],
    *,
    rounds: int,
    seconds: int,
) -> None:
    """Put the table into docs/benchmarks.md, in place of the one before."""
    today = dt.datetime.now(tz=dt.UTC).date()
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.release()}"
    installed = ", ".join(f"{name} {version}" for name, version in versions.items())
    section = (
        f"{_BEGIN}\n{today}, {machine}; {installed}.\n"
        f"Medians of {rounds} interleaved runs of {seconds} s, wrk with one thread and 32 "
        f"connections (c=1: one).\n\n{table(medians, missing)}\n{_END}"
    )
    text = _DOCUMENT.read_text()
    before, _, rest = text.partition(_BEGIN)
    _DOCUMENT.write_text(before + section + rest.partition(_END)[2])
