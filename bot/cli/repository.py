"""`previewbot repository create|list`: git repositories of our own, for use without GitHub."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.local.repositories import Repositories
from bot.cli.start import start_settings
from bot.core.model.errors import BotError


def run(words: Sequence[str]) -> int:
    """Make a repository whose pushes become previews, or list those there are."""
    options = _parser().parse_args(words)
    try:
        settings = start_settings(data_dir=options.data)
        repositories = Repositories(settings.data_dir.expanduser())
        if options.action == "create":
            made = repositories.create(options.name, options.default_branch)
            print(f"git remote add previews {made.path}")
        else:
            for found in repositories.all():
                print(f"{found.repository.name}\t{found.path}")
    except BotError as error:
        print(f"previewbot: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot repository", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    creating = actions.add_parser("create", help="make one and print how to push to it")
    creating.add_argument("name", metavar="OWNER/NAME")
    creating.add_argument("--default-branch", default="main", metavar="BRANCH")
    listing = actions.add_parser("list", help="name and path of each")
    for action in (creating, listing):
        action.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    return parser
