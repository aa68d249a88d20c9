"""`previewbot hook`: what git runs after a push to one of our local repositories.

It stands between a person and their prompt, so it imports as little as it can, and whatever goes
wrong here never fails the push.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.local.push_hook import after_push
from bot.cli.credentials import webhook_secret, webhook_url


def run(words: Sequence[str]) -> int:
    """Post one signed `push` delivery for each branch on standard input."""
    parser = argparse.ArgumentParser(prog="previewbot hook", description=__doc__)
    parser.add_argument("name", choices=["post-receive"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repository", required=True)
    options = parser.parse_args(words)
    try:
        address, secret = webhook_url(options.data), webhook_secret(options.data)
    except FileNotFoundError:
        print(f"previewbot: nobody was told: no `previewbot up` has run on {options.data}")
        return 0
    for line in after_push(sys.stdin, Path.cwd(), options.repository, address, secret):
        print(line)
    return 0
