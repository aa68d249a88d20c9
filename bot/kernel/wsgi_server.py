"""gunicorn as a library: started by us on a socket that we were given, configured by no file.

In the kernel because the bot's web process and the platform's API are two products that need the
same traps avoided.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gunicorn.app.base import BaseApplication
from typing_extensions import override

# gunicorn's own two seconds are shorter than clients keep connections: they then write into a
# socket that is closing. Longer than nginx's and httpx's idle times.
KEEP_ALIVE_S = 75

GRACEFUL_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiServer:
    """One server: what answers, how many threads, and under which name."""

    name: str  # of the processes, as `ps` shows it
    make_app: Callable[[], Any]  # a WSGI application; called once, before the fork
    threads: int
    trusted_proxies: str = ""  # addresses whose X-Forwarded-Proto is believed, comma separated

    def serve(self, listener: socket.socket, ready: Callable[[], None] | None = None) -> None:
        """Answer on `listener` until SIGTERM; `ready` is called when requests are taken.

        `listener` is bound and listening already; its owner may keep it open across restarts, so
        that no connection is refused. Call from the main thread of a process of its own: gunicorn
        installs signal handlers, forks one worker and ends with `SystemExit`.
        """
        settings: dict[str, Any] = {
            "bind": [f"fd://{listener.fileno()}"],
            "worker_class": "gthread",
            # One process: two that write back off from SQLite's file lock, and p99 of receiving
            # webhooks was 17 times as long.
            "workers": 1,
            "threads": self.threads,
            "keepalive": KEEP_ALIVE_S,
            "graceful_timeout": GRACEFUL_S,
            # The worker shares the master's pages: 79 instead of 131 MB.
            "preload_app": True,
            # gunicorn 27 would listen in the user's home, where two servers collide.
            "control_socket_disable": True,
            "forwarded_allow_ips": self.trusted_proxies or "127.0.0.1,::1",
            "proc_name": self.name,
            "loglevel": "warning",
        }
        if ready is not None:
            settings["when_ready"] = lambda _server: ready()
        _Gunicorn(self.make_app, settings).run()


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, make_app: Callable[[], Any], settings: dict[str, Any]) -> None:
        self._make_app = make_app
        self._settings = settings
        super().__init__()

    @override
    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    @override
    def load(self) -> Any:
        return self._make_app()
