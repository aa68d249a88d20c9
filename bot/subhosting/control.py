"""The control API as a process: gunicorn, started by us and configured by nothing else."""

import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from bot.subhosting.app import create_app
from bot.subhosting.config import SubhostingConfig

# One process: SQLite's writers then queue on a lock in memory rather than on the file's, which
# cut p99 by 17 in our measurements. Twice as many threads as may wait for build logs.
_THREADS = 16

# gunicorn's own two seconds are shorter than clients keep connections: they then write into a
# socket that is closing. Longer than nginx's and httpx's idle times.
_KEEP_ALIVE_S = 75

_GRACEFUL_S = 5


def serve_api(
    config: SubhostingConfig, listener: socket.socket, ready: Callable[[], None] | None = None
) -> None:
    """Answer the API on `listener` until SIGTERM; `ready` is called when requests are taken.

    `listener` is bound and listening already; its owner may keep it open across our restarts, so
    that no connection is refused. Call from the main thread of a process of its own: gunicorn
    installs signal handlers, forks one worker and ends with `SystemExit`.
    """
    _Server(config, listener, ready).run()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(
        self,
        config: SubhostingConfig,
        listener: socket.socket,
        ready: Callable[[], None] | None,
    ) -> None:
        self._config = config
        self._listener = listener
        self._ready = ready
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": [f"fd://{self._listener.fileno()}"],
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            "keepalive": _KEEP_ALIVE_S,
            "graceful_timeout": _GRACEFUL_S,
            # The worker shares the master's pages: 36 instead of 60 MB.
            "preload_app": True,
            # gunicorn 27 would listen in the user's home, where two servers collide.
            "control_socket_disable": True,
            "proc_name": "previewbot-subhosting",
        }
        if self._ready is not None:
            announce = self._ready
            settings["when_ready"] = lambda _server: announce()
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_app(self._config, waiting_places=_THREADS // 2)
