"""What it costs to bring a whole site to Deno's platform, where nothing can be left out.

API v2 knows no hashes: every deploy carries every file. The limit is `git cat-file --batch
--buffer`, which reads the same contents and throws them away. Both in turns; once with a site of
files of all sizes, and once with one whose weight is in a single file.
"""

import argparse
import datetime as dt
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.upload.measuring import Figures, measured

MIB = 1024 * 1024
MOST_OF_CAT_FILE = 1.5
MOST_ABOVE_IDLE_MIB = 64

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-upload: begin -->", "<!-- bench-upload: end -->"

COLUMNS = (
    *("site, MiB", "sent, MiB", "`git cat-file`, s", "upload, s", "of `git cat-file`"),
    *("idle, MiB", "peak, MiB"),
)


def table(sites: Sequence[Figures]) -> str:
    """Return the figures in Markdown, with the goals below them."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    goals: list[str] = []
    for found in sites:
        name = f"{found.site.total_bytes / MIB:.0f} in {found.site.files:,} files"
        cells = (
            name,
            f"{found.rounds[-1].bytes_sent / MIB:.0f}",
            f"{found.cat_file_s:.2f}",
            f"{found.upload_s:.2f}",
            f"{found.ratio:.2f}",
            f"{found.memory.idle_bytes / MIB:.0f}",
            f"{found.memory.peak_bytes / MIB:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
        above_mib = found.above_idle_bytes / MIB
        goals += [
            f"- {name}: {found.ratio:.2f} of `git cat-file` (goal: at most {MOST_OF_CAT_FILE})",
            f"- {name}: {above_mib:.0f} MiB above idle (goal: at most {MOST_ABOVE_IDLE_MIB})",
        ]
    return "\n".join([*lines, "", *goals])


def write(text: str, rounds: int) -> None:
    """Put the table into docs/benchmarks.md, in place of the one before."""
    version = subprocess.run(
        ["git", "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    today = dt.datetime.now(tz=dt.UTC).date()
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.release()}"
    head = (
        f"{BEGIN}\n{today}, {machine}; {version}, Python {platform.python_version()}.\n"
        f"Medians of {rounds} rounds, interleaved.\n\n"
    )
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{head}{text}\n{END}{rest.partition(END)[2]}")


def main() -> None:
    """Measure, print, and with --write keep; fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=100, help="how much each site weighs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    sites = [
        measured(options.mib * MIB, options.rounds, one_file=one_file)
        for one_file in (False, True)
    ]
    text = table(sites)
    print(text)
    if options.write:
        write(text, options.rounds)
    raise SystemExit(0 if all(map(_kept, sites)) else 1)


def _kept(found: Figures) -> bool:
    is_lean = found.above_idle_bytes <= MOST_ABOVE_IDLE_MIB * MIB
    return is_lean and found.ratio <= MOST_OF_CAT_FILE


if __name__ == "__main__":
    main()
