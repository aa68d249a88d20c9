"""A whole installation: `previewbot up` as a person would start it, on free loopback ports."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlsplit

import psutil

from bot.bootstrap.reader import Reader, open_reader
from bot.kernel.processes import built_environment
from bot.settings import Settings
from tests.e2e.patience import until

T = TypeVar("T")


def command_line(process: psutil.Process) -> str:
    """Return what a process was started with; "" if it has ended since it was found."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # or one that its parent has not waited for yet
        return ""


@dataclass
class Answer:
    """What a preview or a page said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Installation:
    """One data directory and what runs on it; start and stop as often as a test needs."""

    data_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # PREVIEWBOT_* of the operator
    address: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start `previewbot up` and return when it says that it is ready."""
        log_path = self.data_dir.with_suffix(".up.log")
        with log_path.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "bot", "up", "--json", "--data", str(self.data_dir)),
                    *("--port", "0", "--preview-port", "0", "--parent-pid", str(os.getpid())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                env=built_environment(**self.environment),
                process_group=0,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise AssertionError(f"`previewbot up` did not start:\n{log_path.read_text()}")
        self.address = json.loads(line)

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(30)
        self._forget()

    def kill(self) -> list[psutil.Process]:
        """End it with SIGKILL and return the children that it had."""
        children = self.children()
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)
        self._forget()
        return children

    def _forget(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def children(self) -> list[psutil.Process]:
        """Return every process below `previewbot up`, of any depth."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        """Return the eldest child whose command line holds all of `words`."""
        lines = {process: command_line(process) for process in self.children()}
        found = [process for process, line in lines.items() if all(word in line for word in words)]
        assert found, f"no child {words} among {list(lines.values())}"
        return min(found, key=lambda process: process.create_time())

    def kill_child(self, *words: str) -> None:
        """End one child with SIGKILL; it will be started again."""
        self.child(*words).send_signal(signal.SIGKILL)

    def settings(self) -> Settings:
        return Settings(data_dir=self.data_dir)

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the records beside the running installation."""
        with open_reader(self.settings()) as reader:
            yield reader

    def look_until(self, look: Callable[[Reader], T | None], what: str) -> T:
        """Return the first answer of `look` at the records; tell them all when there is none."""
        with self.reader() as reader:
            try:
                return until(lambda: look(reader), what)
            except AssertionError as error:
                told = f"{error}; the records say: {self.story(reader)}\n{self.logs()}"
                raise AssertionError(told) from None

    def story(self, reader: Reader) -> str:
        return "; ".join(
            f"{one.preview.name}@{one.head[:7]} {one.state} {one.title}"
            for one in reader.store.recent(20)
        )

    def get(self, url: str, path: str = "/", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask a preview's or a page's URL; *.localhost is this machine."""
        address = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", address.port or 80, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": address.netloc, **(headers or {})})
            response = connection.getresponse()
            return Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=response.read(),
            )
        finally:
            connection.close()

    def logs(self) -> str:
        """Return what all children have written."""
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')}"
            for path in sorted((self.data_dir / "logs").glob("*.log"))
        )
