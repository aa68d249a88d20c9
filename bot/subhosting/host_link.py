"""The wire between the control API and the host process: JSON lines over a unix socket.

The database is the truth and a message only a hint that it changed, so a message that is lost, or
a host that is away, costs time and nothing else: the host looks for itself at its start and in a
slow scan.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import orjson

from bot.kernel.runtime_dir import runtime_directory

# Long enough for a busy host, short enough for a caller who waits for our answer.
_ANSWER_WITHIN_S = 2.0


def control_socket(data_dir: Path) -> Path:
    """Return where the host of this data directory listens for messages."""
    return runtime_directory(data_dir) / "host.sock"


def store_isolation(data_dir: Path, document: Mapping[str, object]) -> None:
    """Write down for the API how well apps are isolated on this machine."""
    file = _isolation_file(data_dir)
    draft = file.with_suffix(".draft")
    draft.write_bytes(orjson.dumps(document))
    draft.rename(file)


def stored_isolation(data_dir: Path) -> dict[str, object] | None:
    """Return what the last host of this data directory found, or None before there was one."""
    try:
        found: dict[str, object] = orjson.loads(_isolation_file(data_dir).read_bytes())
    except (OSError, ValueError):
        return None
    return found


def _isolation_file(data_dir: Path) -> Path:
    return runtime_directory(data_dir) / "isolation.json"


class HostLink:
    """The API's end of the wire; safe to use from many threads, as every call connects anew."""

    def __init__(self, data_dir: Path) -> None:
        """Talk to the host of `data_dir`, which need not run yet."""
        self._path = str(control_socket(data_dir))

    def deployment_created(self, deployment_id: str) -> None:
        """Say that there is something to build; returns before the build begins."""
        self._send({"op": "build", "deployment": deployment_id}, wait=False)

    def hosts_changed(self, hosts: Sequence[str]) -> None:
        """Say which hosts point elsewhere; returns when the router knows, or is away."""
        self._send({"op": "route", "hosts": list(hosts)}, wait=True)

    def deployments_deleted(self, deployments: Sequence[str], hosts: Sequence[str]) -> None:
        """Say what is gone; returns when the router no longer leads there."""
        message = {"op": "delete", "deployments": list(deployments), "hosts": list(hosts)}
        self._send(message, wait=True)

    def cancellation_requested(self, deployment_id: str) -> None:
        """Say that a build shall end; returns before it has."""
        self._send({"op": "cancel", "deployment": deployment_id}, wait=False)

    def variables_changed(self) -> None:
        """Say that apps may see other variables; instances restart soon after."""
        self._send({"op": "variables"}, wait=False)

    def chores_changed(self) -> None:
        """Say that a backup or a certificate is due; returns before it is made."""
        self._send({"op": "chores"}, wait=False)

    def changes(self, deployment_id: str, *, patience: timedelta) -> Iterator[None]:
        """Yield whenever a build's log or status may have changed, until it ended.

        Yields at the latest every `patience`, and ends when the host says that the build is over
        or goes away; the caller reads the store again in any case.
        """
        try:
            with self._connected() as connection, connection.makefile("rb") as lines:
                connection.sendall(
                    orjson.dumps({"op": "watch", "deployment": deployment_id}) + b"\n"
                )
                connection.settimeout(patience.total_seconds())
                while lines.readline():
                    yield
        except OSError:
            return

    def is_there(self) -> bool:
        """Return whether the host takes messages."""
        try:
            self._connected().close()
        except OSError:
            return False
        return True

    def _send(self, message: Mapping[str, object], *, wait: bool) -> None:
        try:
            with self._connected() as connection:
                connection.sendall(orjson.dumps(message) + b"\n")
                if wait:
                    connection.recv(1)
        except OSError:
            return  # the host is away; it will look for itself when it is back

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_ANSWER_WITHIN_S)
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        return connection
