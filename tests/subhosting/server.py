"""A whole embedded server on free loopback ports: control API and host as real processes."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.kernel.clock import SystemClock
from bot.kernel.runtime_dir import runtime_directory
from bot.subhosting import setup
from tests.subhosting.process import config_from

ROOT = Path(__file__).parents[2]

# Given to the server's processes as their environment; must never reach an app.
CANARY = "canary-of-the-operators-shell"

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self.body)


class WaitFailedError(AssertionError):
    """A wait that ended without its condition."""


class RunningSubhosting:
    """Start with `with RunningSubhosting(tmp_path) as server:`; every process ends with the block.

    `settings` are those of `SubhostingConfig`, durations in seconds; `environment` is that of its
    processes, to be changed before they start.
    """

    def __init__(self, data_dir: Path, **settings: object) -> None:
        self._api_listener, self._host_listener = _listener(), _listener(shared=True)
        self.api_port = self._api_listener.getsockname()[1]
        self.previews_port = self._host_listener.getsockname()[1]
        self.api_url = f"http://127.0.0.1:{self.api_port}"
        self.settings: Json = {
            "data_dir": str(data_dir),
            "api_url": self.api_url,
            "previews_port": self.previews_port,
            "drain": 2,
            **settings,
        }
        self.environment = {"PATH": os.environ["PATH"], "SECRET_OF_OPERATOR": CANARY}
        self.data_dir = data_dir
        self.runtime_dir = runtime_directory(data_dir)
        self.config = config_from(self.settings)
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.organization = setup.prepare(self.config).id
        self.token = setup.create_token(self.config, "tests")
        self.api: subprocess.Popen[str] | None = None
        self.host: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        # Side by side: each takes a second or two to import what it needs.
        self.api = self._spawned("api", self._api_listener)
        self.host = self._spawned("host", self._host_listener)
        self._await_ready("api", self.api)
        self._await_ready("host", self.host)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        both = [process for process in (self.api, self.host) if process is not None]
        for process in both:
            process.send_signal(signal.SIGTERM)
        for process in both:
            _reap(process)
        self.api = self.host = None
        self._api_listener.close()
        self._host_listener.close()
        shutil.rmtree(self.runtime_dir, ignore_errors=True)

    def start_api(self) -> None:
        self.api = self._spawned("api", self._api_listener)
        self._await_ready("api", self.api)

    def start_host(self) -> None:
        self.host = self._spawned("host", self._host_listener)
        self._await_ready("host", self.host)

    def stop_api(self, sent: signal.Signals = signal.SIGTERM) -> None:
        _stop(self.api, sent)
        self.api = None

    def stop_host(self, sent: signal.Signals = signal.SIGTERM) -> None:
        _stop(self.host, sent)
        self.host = None

    # The API, with plain JSON.

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        sent = {"Authorization": f"Bearer {token or self.token}", **(headers or {})}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return request(self.api_port, method, path, headers=sent, body=content)

    def new_project(self, name: str | None = None) -> Json:
        made = self.call("POST", f"/v1/organizations/{self.organization}/projects", {"name": name})
        assert made.status == 200, made
        project: Json = made.json
        return project

    def deploy(
        self,
        project: str,
        assets: Mapping[str, object],
        *,
        headers: Mapping[str, str] | None = None,
        **fields: object,
    ) -> Answer:
        """Create a deployment; an asset given as text is a file with that content."""
        whole = {
            path: {"kind": "file", "content": asset} if isinstance(asset, str) else asset
            for path, asset in assets.items()
        }
        body = {"entryPointUrl": "main.ts", "envVars": {}, "assets": whole, **fields}
        return self.call("POST", f"/v1/projects/{project}/deployments", body, headers=headers)

    def deployed(self, project: str, assets: Mapping[str, object], **fields: object) -> Json:
        """Create a deployment and wait for the end of its build."""
        made = self.deploy(project, assets, headers=None, **fields)
        assert made.status == 200, made
        self.build_log(made.json["id"])
        deployment: Json = self.call("GET", f"/v1/deployments/{made.json['id']}").json
        return deployment

    def build_log(self, deployment: str) -> list[Json]:
        """Wait for the end of the build and return its log."""
        answers: list[Answer] = []

        def answered() -> bool:
            # 503 while streams of an earlier test, whose clients have left, still hold all places.
            answers.append(self.call("GET", f"/v1/deployments/{deployment}/build_logs"))
            return answers[-1].status != HTTPStatus.SERVICE_UNAVAILABLE

        wait_until(answered, f"a place to wait for {deployment}")
        lines: list[Json] = answers[-1].json
        return lines

    # Previews.

    def get(self, host: str, path: str = "/", **headers: str) -> Answer:
        return request(
            self.previews_port, "GET", path, headers={"Host": self.authority(host), **headers}
        )

    def authority(self, host: str) -> str:
        """Return `host:port` as a browser would send it."""
        return f"{host}:{self.previews_port}"

    def connect(self) -> socket.socket:
        """Return a raw connection to the router."""
        return socket.create_connection(("127.0.0.1", self.previews_port), timeout=20)

    def instances(self) -> list[int]:
        """Return the pids of the Deno processes of this server."""
        return deno_pids(self.data_dir)

    def _spawned(self, role: str, listener: socket.socket) -> subprocess.Popen[str]:
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "tests.subhosting.process", role, str(descriptor)]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*command, str(os.getpid()), json.dumps(self.settings)],
                cwd=ROOT,
                env=self.environment,
                pass_fds=[descriptor],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _await_ready(self, role: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise WaitFailedError(f"{role} did not start:\n{self.log.read_text()}")


def request(
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Answer:
    """Return the answer to one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


def wait_until(condition: Callable[[], object], what: str, *, within_s: float = 20) -> None:
    """Return as soon as `condition` holds.

    Raises:
        WaitFailedError: it did not in time.

    """
    clock = SystemClock()
    deadline = clock.monotonic_s() + within_s
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(0.005)
        while not condition():
            if clock.monotonic_s() > deadline:
                raise WaitFailedError(f"waited {within_s} s for: {what}")
            try:
                left.recv(1)
            except TimeoutError:
                continue


def command_line(pid: int) -> str:
    """Return what a process was started with; "" if it has ended since it was found."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def deno_pids(data_dir: Path) -> list[int]:
    """Return the pids of running Deno processes that serve from `data_dir`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(") ")[2][:1]
            except OSError:
                continue
            # Not those that hold it, which name the program they started.
            running = command.split(b"\0")[:2]
            is_deno = running[0].endswith(b"deno") and running[1:] == [b"run"]
            if is_deno and str(data_dir).encode() in command and state != "Z":
                found.append(int(entry.name))
    return sorted(found)


def _listener(*, shared: bool = False) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512, reuse_port=shared)
    listener.set_inheritable(True)
    return listener


def _stop(process: "subprocess.Popen[str] | None", sent: signal.Signals) -> None:
    if process is None:
        return
    process.send_signal(sent)
    _reap(process)


def _reap(process: "subprocess.Popen[str]") -> None:
    try:
        process.wait(20)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()
