"""`previewbot setup`: the GitHub App that the page /setup made, and how to begin anew."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.core.render.terminal import printable_line
from bot.settings import Settings


def run(words: Sequence[str]) -> int:
    """Say which App there is, or forget it."""
    parser = argparse.ArgumentParser(prog="previewbot setup", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    parser.add_argument("--reset", action="store_true", help="forget the App and its secrets")
    options = parser.parse_args(words)
    try:
        _show(start_settings(data_dir=options.data), reset=options.reset)
    except BotError as error:
        print(f"previewbot: {printable_line(str(error))}", file=sys.stderr)
        return 1
    return 0


def _show(settings: Settings, *, reset: bool) -> None:
    from bot.bootstrap.made_app import open_setups  # noqa: PLC0415 - most words need no database

    with open_setups(settings) as setups:
        app = setups.app() if not reset else None
        forgotten = reset and setups.forget_app()
    if settings.uses_github:
        print("The settings name a GitHub App or a token; nothing that was made is used.")
    if reset:
        print(_FORGOTTEN if forgotten else "There was no App to forget.")
    elif app is None:
        print("No App was made yet. `previewbot up` prints the link that makes one.")
    else:
        print(f"App        {printable_line(app.slug)} ({app.id})")
        print(f"Install    {printable_line(app.html_url)}/installations/new")


_FORGOTTEN = (
    "Forgotten. Start `previewbot up` again: it prints a new link. The App itself is still on "
    "GitHub; delete it there, under Settings -> Developer settings -> GitHub Apps."
)
