"""From a deployment to the views of its children, in pure functions."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bot.subhosting.sandbox.argv import Sandbox
from bot.subhosting.sandbox.view import ProcessLimits, View


def run_view(sandbox: Sandbox, limits: ProcessLimits) -> View:
    """Return what a running instance sees: its files, its cache, its socket, its database."""
    # SQLite puts more files beside a database's own.
    database = () if sandbox.kv_file is None else (sandbox.kv_file.parent,)
    return View(
        owner=sandbox.owner,
        readable=(sandbox.source, *_overlay(sandbox)),
        writable=(sandbox.cache, sandbox.socket.parent, *database),
        executables=(sandbox.deno,),
        sockets=sandbox.sockets,
        loopback_ports=sandbox.loopback_ports,
        limits=limits,
    )


def install_view(sandbox: Sandbox, scratch: Path, limits: ProcessLimits) -> View:
    """Return what `deno install` sees: it writes the lock file beside the sources."""
    return View(
        owner=sandbox.owner,
        writable=(sandbox.source, sandbox.cache, scratch, *_overlay(sandbox)),
        executables=(sandbox.deno,),
        limits=limits,
    )


def build_view(sandbox: Sandbox, scratch: Path, tools: Path, limits: ProcessLimits) -> View:
    """Return what a command of the app's own build sees: it may write, and run what it wrote.

    The database is there for a command that prepares a timeline.
    """
    database = () if sandbox.kv_file is None else (sandbox.kv_file.parent,)
    writable = (sandbox.source, sandbox.cache, scratch, *database)
    return View(
        owner=sandbox.owner,
        readable=(tools,),
        writable=writable,
        # Packages bring programs of their own: esbuild, rollup.
        executables=(sandbox.deno, tools, *writable),
        system_programs=True,
        loopback_ports=sandbox.loopback_ports,
        limits=limits,
    )


def with_way_out(view: View, variables: Mapping[str, str]) -> View:
    """Return a view from which the proxies that `variables` name can be reached."""
    ports = (urlsplit(address).port for address in variables.values())
    known = dict.fromkeys(port for port in ports if port is not None)
    return replace(view, loopback_ports=(*view.loopback_ports, *known))


def _overlay(sandbox: Sandbox) -> tuple[Path, ...]:
    """Return the folder with an import map or a lock file that lie outside the sources."""
    outside = (sandbox.import_map, sandbox.lock)
    folders = [path.parent for path in outside if isinstance(path, Path)]
    return tuple(
        dict.fromkeys(each for each in folders if not each.is_relative_to(sandbox.source))
    )
