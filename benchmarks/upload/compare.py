"""What it costs to bring a whole site to Deno's platform, where nothing can be left out.

API v2 knows no hashes: every deploy carries every file. The limit is `git cat-file --batch
--buffer`, which reads the same contents and throws them away. Both in turns; once with a site of
files of all sizes, and once with one whose weight is in a single file.
"""

import argparse
from collections.abc import Sequence

from benchmarks.document import Goal, goals_text, keep, status
from benchmarks.upload.measuring import Figures, measured

MIB = 1024 * 1024
MOST_OF_CAT_FILE = 1.5
MOST_ABOVE_IDLE_MIB = 64

COLUMNS = (
    *("site, MiB", "sent, MiB", "`git cat-file`, s", "upload, s", "of `git cat-file`"),
    *("idle, MiB", "peak, MiB"),
)


def table(sites: Sequence[Figures]) -> str:
    """Return the figures in Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for found in sites:
        cells = (
            _name(found),
            f"{found.rounds[-1].bytes_sent / MIB:.0f}",
            f"{found.cat_file_s:.2f}",
            f"{found.upload_s:.2f}",
            f"{found.ratio:.2f}",
            f"{found.memory.idle_bytes / MIB:.0f}",
            f"{found.memory.peak_bytes / MIB:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def goals_of(found: Figures) -> list[Goal]:
    """Return what the figures of one site say about the goals."""
    above_mib = found.above_idle_bytes / MIB
    return [
        Goal(
            found=f"{_name(found)}: {found.ratio:.2f} of `git cat-file`",
            wanted=f"at most {MOST_OF_CAT_FILE}",
            kept=found.ratio <= MOST_OF_CAT_FILE,
        ),
        Goal(
            found=f"{_name(found)}: {above_mib:.0f} MiB above idle",
            wanted=f"at most {MOST_ABOVE_IDLE_MIB}",
            kept=above_mib <= MOST_ABOVE_IDLE_MIB,
        ),
    ]


def _name(found: Figures) -> str:
    return f"{found.site.total_bytes / MIB:.0f} in {found.site.files:,} files"


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
    goals = [goal for found in sites for goal in goals_of(found)]
    text = f"{table(sites)}\n\n{goals_text(goals)}"
    print(text)
    if options.write:
        keep("bench-upload", f"Medians of {options.rounds} rounds, interleaved.", text)
    raise SystemExit(status(goals))


if __name__ == "__main__":
    main()
