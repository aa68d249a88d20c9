"""Caddy as the TLS proxy in front, by the configuration that docs/tls.md shows."""

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.subhosting.server import RunningSubhosting, wait_until

ROOT = Path(__file__).parents[1]
# `make soak` puts it there.
PROGRAM = ROOT / ".venv" / "caddy" / "bin" / "caddy"


@contextmanager
def caddy(server: RunningSubhosting, folder: Path) -> Iterator[int]:
    """Run it with certificates of its own making; yields the port of TLS."""
    port = _free_port()
    configuration = folder / "Caddyfile"
    configuration.write_text(_configuration(server, port))
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": "/usr/bin:/bin"}
    command = [str(PROGRAM), "run", "--config", str(configuration), "--adapter", "caddyfile"]
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: _listens(port), "caddy to listen")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def connected(port: int, host: str) -> ssl.SSLSocket:
    """Return a connection that speaks HTTP/1.1 inside TLS; its certificate is of a test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    return context.wrap_socket(connection, server_hostname=host)


def _configuration(server: RunningSubhosting, port: int) -> str:
    """Return the example of docs/tls.md with our ports, and certificates without a network."""
    document = (ROOT / "docs" / "tls.md").read_text()
    example = document.partition("```caddyfile\n")[2].partition("```")[0]
    example = re.sub(r"\t\t#.*\n\t\tget_certificate.*\n", "", example)
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{server.api_port}",
        "127.0.0.1:8001": f"127.0.0.1:{server.previews_port}",
        "https:// {": f"https://:{port} {{",
        "api.example.com {": f"https://api.localhost:{port} {{\n\ttls internal",
        "\t\ton_demand\n": "\t\ton_demand\n\t\tissuer internal\n",
    }
    for written, meant in changes.items():
        assert written in example, f"docs/tls.md no longer says {written!r}"
        example = example.replace(written, meant)
    ours = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n"
    return example.replace("{\n", ours, 1)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
