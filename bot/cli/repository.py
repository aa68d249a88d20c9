"""`previewbot repository create|list|connect`: repositories of our own, and on GitHub."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.local.repositories import Repositories
from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.core.render.terminal import printable_line
from bot.settings import Settings


def run(words: Sequence[str]) -> int:
    """Make or connect a repository whose pushes become previews, or list our own."""
    options = _parser().parse_args(words)
    try:
        settings = start_settings(data_dir=options.data)
        repositories = Repositories(settings.data_dir.expanduser())
        if options.action == "connect":
            return _connect(settings, options.name)
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


def _connect(settings: Settings, name: str) -> int:
    """Give a repository on GitHub a webhook of its own; 1 when that is left to be done by hand."""
    from bot.bootstrap.connecting import connect_repository  # noqa: PLC0415 - PyGithub takes 0.2 s

    made = connect_repository(settings, name)
    if made.refused is None:
        print(f"{made.name} is connected: its pushes become previews.")
        return 0
    print(f"GitHub made no webhook: {printable_line(made.refused)}", file=sys.stderr)
    print("Make it by hand, in the repository's Settings -> Webhooks:")
    print(f"Payload URL   {made.url}")
    print("Content type  application/json")
    print(f"Secret        {made.secret}")
    print(f"Events        {', '.join(made.events)}")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot repository", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    creating = actions.add_parser("create", help="make one and print how to push to it")
    creating.add_argument("name", metavar="OWNER/NAME")
    creating.add_argument("--default-branch", default="main", metavar="BRANCH")
    connecting = actions.add_parser("connect", help="give one on GitHub a webhook of its own")
    connecting.add_argument("name", metavar="OWNER/NAME")
    listing = actions.add_parser("list", help="name and path of each")
    for action in (creating, connecting, listing):
        action.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    return parser
