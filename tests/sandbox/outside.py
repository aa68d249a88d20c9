"""The world outside of a sandbox: canaries that must not be read, reached, written or harmed."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from typing_extensions import override

from tests.subhosting.server import CANARY

# What an attempt sends is a short word, or the head of a request.
_HEARD_BYTES = 4096
_HEARD_WITHIN_S = 2.0

_VICTIM = "import signal; print(flush=True); signal.pause()"


@dataclass(slots=True)
class Outside:
    """Where the canaries are, as scripts are told, and what they heard."""

    world: dict[str, Any] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """A folder that everybody on the machine may read and write."""
        return Path(self.world["folder"])

    def has_heard(self, word: str) -> bool:
        """Return whether a canary socket was sent the word."""
        return any(word.encode() in said for said in self.heard)

    def sleeping(self, seconds: str) -> str:
        """Return the command line of a daemon that sleeps `$nap` seconds."""
        return f"sleep\0{seconds.replace('$nap', str(self.world['nap']))}\0"

    def hear(self, said: bytes) -> None:
        """Remember what came in."""
        self.heard.append(said)


@contextmanager
def canaries() -> Iterator[Outside]:
    """Keep files, sockets and a process there to be attacked."""
    outside = Outside()
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        outside.world |= {
            "folder": str(folder),
            "secret": str(folder / "secret.txt"),
            "name": socket.gethostname(),
            "abstract": f"canary-{secrets.token_hex(6)}",
            "unix": str(folder / "canary.sock"),
            # So many seconds do daemons sleep, to be told from those of others.
            "nap": secrets.randbelow(10**6) + 10**6,
            **_addresses(),
        }
        outside.world["tcp"] = _listening(stack, _dual_stack(), _hears(outside))
        to = f"http://127.0.0.1:{outside.world['tcp']}"
        outside.world["redirect"] = _listening(stack, _dual_stack(), _redirects(to))
        for address in (outside.world["unix"], "\0" + outside.world["abstract"]):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            _listening(stack, listener, _hears(outside))
        Path(outside.world["unix"]).chmod(0o777)
        outside.world["udp"] = _receiving(stack, outside)
        outside.world["victim"] = stack.enter_context(_victim(folder)).pid
        yield outside
        for prefix in ("", "1"):
            end_processes(outside.sleeping(f"{prefix}$nap"))


def processes(command: str) -> list[int]:
    """Return the pids of processes whose command line, with NULs between words, begins so."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cmdline").read_bytes().startswith(command.encode()):
                    found.append(int(entry.name))
    return found


def end_processes(command: str) -> None:
    for pid in processes(command):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="outside-"))
    folder.chmod(0o777)
    (folder / "secret.txt").write_text(CANARY)
    (folder / "secret.json").write_text(json.dumps({"canary": CANARY}))
    (folder / "module.ts").write_text(f'export default "{CANARY}";')
    (folder / "worker.ts").write_text(f'postMessage("{CANARY}");')
    (folder / "addon.node").write_bytes(b"\x7fELF")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _victim(folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A process of the operator's, with a secret in its environment, and so in its memory."""
    with subprocess.Popen(
        [sys.executable, "-c", _VICTIM],
        cwd=folder,
        env={"SECRET_OF_OPERATOR": CANARY},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def _addresses() -> dict[str, str | None]:
    """Return an address of this machine's that is not loopback, for each family."""
    found: dict[str, str | None] = {"host": None, "host6": None}
    for name, addresses in psutil.net_if_addrs().items():
        for each in addresses:
            if name == "lo":
                continue
            if each.family == socket.AF_INET:
                found["host"] = each.address
            elif each.family == socket.AF_INET6 and not each.address.startswith("fe80"):
                found["host6"] = each.address
    return found


def _dual_stack() -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", 0))  # noqa: S104 - every address is to be attacked


class _Server(socketserver.ThreadingMixIn, socketserver.BaseServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, listener: socket.socket, handler: type[socketserver.BaseRequestHandler]
    ) -> None:
        super().__init__(listener.getsockname(), handler)
        self.listener = listener

    def fileno(self) -> int:
        return self.listener.fileno()

    @override
    def get_request(self) -> tuple[socket.socket, Any]:
        return self.listener.accept()

    @override
    def shutdown_request(self, request: Any) -> None:
        request.close()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Attackers hang up as they like."""


def _listening(
    stack: ExitStack, listener: socket.socket, handler: type[socketserver.BaseRequestHandler]
) -> int:
    """Serve until the stack is closed; return the port, if it has one."""
    listener.listen(64)
    stack.callback(listener.close)
    server = _Server(listener, handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    name = listener.getsockname()
    return int(name[1]) if listener.family != socket.AF_UNIX else 0


def _receiving(stack: ExitStack, outside: Outside) -> int:
    receiver = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.05)
    stop = threading.Event()

    def receive() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                outside.hear(receiver.recv(_HEARD_BYTES))

    thread = threading.Thread(target=receive)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stop.set)
    return int(receiver.getsockname()[1])


def _hears(outside: Outside) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            self.request.settimeout(_HEARD_WITHIN_S)
            outside.hear(self.request.recv(_HEARD_BYTES))
            body = CANARY.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            self.request.sendall(head.encode() + body)

    return Handler


def _redirects(to: str) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            self.request.settimeout(_HEARD_WITHIN_S)
            path = self.request.recv(_HEARD_BYTES).split()[1].decode()
            head = f"HTTP/1.1 302 Found\r\nLocation: {to}{path}\r\nContent-Length: 0\r\n\r\n"
            self.request.sendall(head.encode())

    return Handler
