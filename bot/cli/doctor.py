"""`previewbot doctor`: what this machine can do, what is missing, and what to do about it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.bootstrap.doctor import checks
from bot.bootstrap.findings import Check, Outcome
from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.core.render.terminal import printable_line

_MARKS = {Outcome.OK: "ok     ", Outcome.LACKING: "lacking", Outcome.PROBLEM: "PROBLEM"}


def run(words: Sequence[str]) -> int:
    """Print every check; 1 when one of them is a problem."""
    parser = argparse.ArgumentParser(prog="previewbot doctor", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(words)
    try:
        settings = start_settings(data_dir=options.data)
        found = checks(settings.with_values(data_dir=settings.data_dir.expanduser().resolve()))
    except BotError as error:
        print(f"previewbot: {printable_line(str(error))}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"checks": [check.document() for check in found]}))
    else:
        for check in found:
            _print(check)
    return 1 if any(check.outcome is Outcome.PROBLEM for check in found) else 0


def _print(check: Check) -> None:
    print(f"{_MARKS[check.outcome]}  {check.name:<18}  {printable_line(check.found)}")
    if check.fix:
        print(f"{'':<27}  -> {check.fix}")
