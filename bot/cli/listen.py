"""Listening sockets, with errors that name the setting to change."""

import os
import socket

from bot.core.model.errors import ConfigurationProblem

# Connections that wait while a child restarts; the kernel caps it at net.core.somaxconn.
BACKLOG = 1024


def bound(host: str, port: int, setting: str, *, shared: bool = False) -> socket.socket:
    """Return a socket that listens on `host`:`port`; port 0 takes any free one.

    `shared` lets other processes of this user listen on the same port, for several routers.

    Raises:
        ConfigurationProblem: the address is taken or not ours; `setting` says what to change.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, reuse_port=shared
        )
    except OSError as error:
        # The standard library adds the address to `strerror`; unknown hosts have negative numbers.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigurationProblem(
            setting, f"cannot listen on {host}:{port} ({reason}); choose another port"
        ) from error
