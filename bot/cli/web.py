"""`previewbot web`: the webhook receiver and the pages, alone or as a child of `previewbot up`."""

import argparse
import socket
import sys
from collections.abc import Callable, Sequence

from bot import logs
from bot.cli.handover import receive
from bot.cli.listen import bound
from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.settings import Settings

# Requests wait for one SQLite writer; more threads only queue up behind it.
THREADS = 8


def run(words: Sequence[str]) -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="previewbot web", description=__doc__)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    try:
        if options.child:
            handover = receive()
            if handover.listener is None:
                parser.error("no listening socket was handed over")
            _serve(handover.settings, handover.listener, handover.ready)
        else:
            settings = start_settings()
            listener = bound(settings.bind, settings.port, "PREVIEWBOT_PORT")
            _serve(settings, listener, lambda: None)
    except BotError as error:
        print(f"previewbot: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Import Flask and the engine's client only now, when the environment holds no secret."""
    from bot.bootstrap.web import web_app  # noqa: PLC0415 - see above
    from bot.kernel.wsgi_server import WsgiServer  # noqa: PLC0415 - see above

    logs.configure("web", settings.secrets())
    app = web_app(settings)  # before gunicorn, so that a wrong setting is one line
    server = WsgiServer(
        name="previewbot-web",
        make_app=lambda: app,
        threads=THREADS,
        trusted_proxies=settings.trusted_proxies,
    )
    server.serve(listener, ready)
