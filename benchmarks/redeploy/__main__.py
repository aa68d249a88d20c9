"""`make bench-redeploy`: to stubs beside the tools of others, then to the embedded server.

Both halves run whatever becomes of the first; the exit code is 1 when either missed a goal or
failed. Options: --rounds 5 --write for both, --files 2000 10000 for the first half, --most 3.0
--pause 1.0 for the second.
"""

import argparse
import subprocess
import sys

# Whose options are whose; the rest is for both.
_COMPARE, _EMBEDDED = frozenset({"files"}), frozenset({"most", "pause"})


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds")
    parser.add_argument("--files", nargs="+")
    parser.add_argument("--most")
    parser.add_argument("--pause")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = vars(parser.parse_args())
    statuses = [
        _run("benchmarks.redeploy.compare", _words(options, without=_EMBEDDED)),
        _run("benchmarks.redeploy.embedded", _words(options, without=_COMPARE)),
    ]
    raise SystemExit(1 if any(statuses) else 0)


def _words(options: dict[str, object], *, without: frozenset[str]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        if name in without or value in (None, False):
            continue
        words.append(f"--{name}")
        if isinstance(value, list):
            words += value
        elif value is not True:
            words.append(str(value))
    return words


def _run(module: str, words: list[str]) -> int:
    status = subprocess.run([sys.executable, "-m", module, *words], check=False).returncode
    print(flush=True)
    return status


if __name__ == "__main__":
    main()
