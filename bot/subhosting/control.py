"""The control API as a process."""

import socket
from collections.abc import Callable

from bot.kernel.wsgi_server import WsgiServer
from bot.subhosting.app import create_app
from bot.subhosting.config import SubhostingConfig

# Twice as many threads as may wait for build logs.
_THREADS = 16


def serve_api(
    config: SubhostingConfig, listener: socket.socket, ready: Callable[[], None] | None = None
) -> None:
    """Answer the API on `listener` until SIGTERM; `ready` is called when requests are taken.

    `listener` is bound and listening already. Call from the main thread of a process of its own:
    gunicorn installs signal handlers, forks one worker and ends with `SystemExit`.
    """
    server = WsgiServer(
        name="previewbot-subhosting",
        make_app=lambda: create_app(config, waiting_places=_THREADS // 2),
        threads=_THREADS,
    )
    server.serve(listener, ready)
