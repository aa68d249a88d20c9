"""From a deployment to Deno's command line and environment, in pure functions.

The flags are level 0 of the sandbox: what Deno itself enforces. Measured facts behind each of
them: docs/adr/0002 and docs/security.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from bot.subhosting.remote import is_remote
from bot.subhosting.sandbox import server_address

# Addresses an app may not reach: the neighbours', the cloud's metadata. IPv6 ranges cannot be
# written on Deno's command line, so `fc00::/7` and `fe80::/10` stay open at this level.
_PRIVATE_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    # Metadata of clouds on addresses that are not private: Azure's, Oracle's.
    "168.63.129.16/32",
    "192.0.0.0/24",
)
# And ours, unless the app has a loopback interface of its own.
# Linux takes a connection to an unspecified address as one to loopback.
_LOOPBACK = ("127.0.0.0/8", "0.0.0.0/8", "[::1]", "[::]", "localhost")

# Constant, so that nothing of the operator's shell shows; npm packages that split PATH expect one.
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """One instance: where its files are, where it listens, and what it was given."""

    deno: Path
    # Whose it is: the deployment's id.
    owner: str = ""
    source: Path
    # Private and writable: with a read-only DENO_DIR every start takes 180 to 250 ms.
    cache: Path
    # A path below `source`, or a URL.
    entry_point: str
    socket: Path
    heap_mib: int
    env_vars: Mapping[str, str] = field(default_factory=dict)
    registries: Mapping[str, str] = field(default_factory=dict)
    # Whether the installing stage left modules of jsr or https in the cache.
    remote_modules: bool = False
    # This machine's own, which lead to the same ports as loopback.
    own_addresses: tuple[str, ...] = ()
    # Hosts that the app may reach; None is all, an empty tuple none.
    net: tuple[str, ...] | None = None
    # The one file that `Deno.openKv()` opens; None for an app without a database.
    kv_file: Path | None = None
    # Instead of a file: the address and port of the host's KV Connect server.
    kv_server: tuple[str, int] | None = None
    # A file or a URL in place of the import map that deno.json names or holds.
    import_map: Path | str | None = None
    # In place of the deno.lock beside deno.json; `None` leaves the choice to Deno.
    lock: Path | None = None
    # Whether the packages are installed without any lock file.
    without_lock: bool = False
    # Whether its server is told an address on TCP, for apps that cannot do without.
    told_its_address: bool = False
    # What the entry point finds in `Deno.args`.
    arguments: tuple[str, ...] = ()
    # Where the process runs, relative to the app's files.
    working_directory: str = "."
    # Variables by which Deno itself reaches the host: secrets of this one instance.
    platform: Mapping[str, str] = field(default_factory=dict, repr=False)
    # The host's ports on loopback that Deno itself connects to.
    loopback_ports: tuple[int, ...] = ()
    # The host's unix sockets that Deno itself connects to.
    sockets: tuple[Path, ...] = ()
    # In a network of its own (L3): the loopback port of the only way out.
    proxy_port: int | None = None

    @property
    def own_network(self) -> bool:
        """Whether the process has a network of its own."""
        return self.proxy_port is not None


def run_argv(sandbox: Sandbox) -> list[str]:
    """Return the command that serves the deployment.

    It holds no secret: everyone on the machine can read it.
    """
    # A database's file alone: what SQLite puts beside it needs no permission of its own.
    database = () if sandbox.kv_file is None else (sandbox.kv_file,)
    readable = (sandbox.source, sandbox.cache / "npm", sandbox.socket, *database)
    return [
        str(sandbox.deno),
        "run",
        "--quiet",
        "--no-prompt",
        # Whatever the installing stage did not fetch is not fetched behind the app's back.
        "--cached-only",
        *(("--preload", server_address.PRELOAD) if sandbox.told_its_address else ()),
        *_lock(sandbox, default=("--no-lock",)),
        *_import_map(sandbox),
        "--unstable-kv",
        "--unstable-cron",
        # Denying it refuses cached modules too. What is not cached stays out by `--cached-only`.
        "--allow-import" if sandbox.remote_modules else "--deny-import",
        # The environment is built from nothing, so all of it may be read; npm packages need that.
        "--allow-env",
        f"--allow-read={_paths(*readable)}",
        f"--allow-write={_paths(sandbox.socket, *database)}",
        _allow_net(sandbox),
        f"--deny-net={','.join(_denied_networks(sandbox))}",
        f"--v8-flags=--max-old-space-size={sandbox.heap_mib}",
        _main_module(sandbox),
        *sandbox.arguments,
    ]


def run_environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the whole environment of the instance; the platform's names win over the app's."""
    return {
        "HOME": str(sandbox.source),
        "LANG": "C.UTF-8",
        "PATH": _PATH,
        "NO_COLOR": "1",
        **sandbox.env_vars,
        **sandbox.registries,
        "DENO_DIR": str(sandbox.cache),
        # `export default {fetch}` serves without `deno serve`; others are not affected.
        "DENO_AUTO_SERVE": "1",
        # Whatever port the app names, its first server listens here.
        "DENO_SERVE_ADDRESS": _serve_address(sandbox),
        # `info.remoteAddr` becomes what the router says in `x-deno-client-address`.
        "DENO_TRUST_PROXY_HEADERS": "1",
        "DENO_NO_UPDATE_CHECK": "1",
        **kv_environment(sandbox),
        **sandbox.platform,
    }


def install_argv(sandbox: Sandbox) -> list[str]:
    """Return the command that fetches the entry point's packages into the private cache.

    Lifecycle scripts of npm packages do not run: Deno runs none unless it is told which.
    """
    options = (*_lock(sandbox, default=()), *_import_map(sandbox))
    # Any host: which addresses may be reached is the proxy's business.
    return [
        *(str(sandbox.deno), "install", "--allow-import", *options),
        *("--entrypoint", _main_module(sandbox)),
    ]


def install_environment(sandbox: Sandbox, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the installer's environment: the operator's `extra`, none of the app's variables."""
    return {
        "HOME": str(sandbox.cache),
        "LANG": "C.UTF-8",
        "PATH": _PATH,
        "NO_COLOR": "1",
        **extra,
        **sandbox.registries,
        "DENO_DIR": str(sandbox.cache),
        "DENO_NO_UPDATE_CHECK": "1",
    }


def kv_environment(sandbox: Sandbox) -> dict[str, str]:
    """Return where `Deno.openKv()` leads, or what makes it say that no database is attached."""
    if sandbox.kv_server is not None:
        host, port = sandbox.kv_server
        return {"DENO_KV_DEFAULT_PATH": f"http://{host}:{port}/"}
    if sandbox.kv_file is None:
        return {"DENO_KV_REQUIRES_DISTRIBUTED_DATABASE": "error"}
    return {"DENO_KV_DEFAULT_PATH": str(sandbox.kv_file)}


def _main_module(sandbox: Sandbox) -> str:
    if is_remote(sandbox.entry_point):
        return sandbox.entry_point
    return str(sandbox.source / sandbox.entry_point)


def _listed_hosts(sandbox: Sandbox) -> tuple[str, ...] | None:
    """Return the hosts that it may reach, or None for all."""
    return None if sandbox.net is None or "*" in sandbox.net else sandbox.net


def _denied_networks(sandbox: Sandbox) -> tuple[str, ...]:
    database = sandbox.kv_server
    if not sandbox.own_network:
        loopback = _LOOPBACK if database is None else (*_loopback_but(database[0]), *_LOOPBACK[1:])
        return (*loopback, *_PRIVATE_NETWORKS, *sandbox.own_addresses)
    # What Deno itself connects to is no business of the app's. For a database it asks permission.
    open_ports = {sandbox.proxy_port, None if database is None else database[1]}
    ours = (port for port in sandbox.loopback_ports if port not in open_ports)
    return (*(f"127.0.0.1:{port}" for port in ours), *_PRIVATE_NETWORKS)


def _loopback_but(address: str) -> tuple[str, ...]:
    """Return networks that are together all of 127.0.0.0/8 but one address."""
    others = IPv4Network(_LOOPBACK[0]).address_exclude(IPv4Network(address))
    return tuple(map(str, sorted(others)))


def _serve_address(sandbox: Sandbox) -> str:
    """Return where the first server listens: also where the app says, if that is all its own.

    Frameworks ask for the address that they asked for. An app with a list of hosts has no
    permission for it.
    """
    duplicate = "duplicate," if sandbox.own_network and _listed_hosts(sandbox) is None else ""
    return f"{duplicate}unix:{sandbox.socket}"


def _allow_net(sandbox: Sandbox) -> str:
    if (hosts := _listed_hosts(sandbox)) is None:
        return "--allow-net"
    # The socket it listens on counts as network; without it no app could serve. `node:http` needs
    # the permission for the proxy, which has the list as well.
    proxy = () if sandbox.proxy_port is None else (f"127.0.0.1:{sandbox.proxy_port}",)
    database = () if sandbox.kv_server is None else ("{}:{}".format(*sandbox.kv_server),)
    return f"--allow-net={','.join((f'unix:{sandbox.socket}', *proxy, *database, *hosts))}"


def _lock(sandbox: Sandbox, default: tuple[str, ...]) -> tuple[str, ...]:
    if sandbox.without_lock:
        return ("--no-lock",)
    return default if sandbox.lock is None else (f"--lock={sandbox.lock}",)


def _import_map(sandbox: Sandbox) -> tuple[str, ...]:
    return () if sandbox.import_map is None else (f"--import-map={sandbox.import_map}",)


def _paths(*paths: Path) -> str:
    # Deno splits the list at commas, and reads two as one comma of the path.
    return ",".join(str(path).replace(",", ",,") for path in paths)
