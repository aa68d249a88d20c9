"""`previewbot subhosting api|host`: the two processes of the embedded platform.

Started by `previewbot up`; they know nothing of GitHub or of the bot.
"""

import argparse
import sys
from collections.abc import Sequence

from bot import logs
from bot.bootstrap.platform import serve_api, serve_host
from bot.cli.handover import receive
from bot.core.model.errors import BotError


def run(words: Sequence[str]) -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="previewbot subhosting", description=__doc__)
    parser.add_argument("part", choices=["api", "host"])
    parser.add_argument("--child", action="store_true", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    try:
        handover = receive()
        settings = handover.settings
        logs.configure(f"subhosting-{options.part}", settings.secrets())
        if handover.listener is None:
            parser.error("no listening socket was handed over")
        serve = serve_api if options.part == "api" else serve_host
        serve(settings, handover.listener, handover.ready)
    except BotError as error:
        print(f"previewbot: {error}", file=sys.stderr)
        return 1
    return 0
