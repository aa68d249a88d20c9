"""How long the main road takes: the demo several times over, medians side by side.

Prints, for each of the demo's three pushes, the seconds from the start of `git push` to the stable
URL serving the commit, and their ratio to the time that a plain `git push` of the same size takes
to a repository that nobody watches.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bot.cli.demo_repository import WorkingCopy
from bot.core.model.ids import Branch

RUNS = 5
NAMES = ("first push", "new branch", "one-file change")


def one_demo() -> list[float]:
    """Return the three times of one demo, in seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--once", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    last = json.loads(done.stdout.splitlines()[-1])
    return [preview["seconds_to_live"] for preview in last["previews"]]


def one_plain_push() -> float:
    """Return the time of a one-file push without a hook, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
        copy = WorkingCopy(Path(folder) / "work", bare)
        copy.push(Branch("main"))
        copy.greet("Hello again")
        started = time.perf_counter()
        copy.push(Branch("main"))
        return time.perf_counter() - started


def main() -> None:
    """Run both side by side and print medians and ratios."""
    demos: list[list[float]] = []
    pushes: list[float] = []
    for _ in range(RUNS):
        demos.append(one_demo())
        pushes.append(one_plain_push())
    plain = statistics.median(pushes)
    print(f"plain git push       {plain:6.3f} s   1.0")
    for place, name in enumerate(NAMES):
        times = [run[place] for run in demos]
        median = statistics.median(times)
        spread = f"{min(times):.3f}-{max(times):.3f}"
        print(f"{name:<20} {median:6.3f} s  {median / plain:4.1f}   ({spread})")


if __name__ == "__main__":
    main()
