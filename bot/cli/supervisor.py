"""Start children, start them again when they fall, and leave none behind."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from bot.cli.handover import Note
from bot.core.model.errors import BotError
from bot.kernel.processes import built_environment
from bot.settings import Settings

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 10.0
# A child that lived this long did not fall because of how it was started.
STABLE_AFTER_S = 30.0
# Longer than a worker's or a router's own patience with work in flight.
STOP_WITHIN_S = 12.0
# A child that falls this often in a row without ever being ready will not mend itself.
HOPELESS_AFTER = 4
MAX_LOG_BYTES = 20_000_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPlan:
    """One process to keep alive: `python -m bot <arguments> --child`."""

    name: str
    arguments: Sequence[str]
    settings: Settings
    listener: socket.socket | None = None


class ChildFailed(BotError):  # noqa: N818 - reads as a sentence in `except`
    """A process of ours cannot be started."""

    def __init__(self, name: str, log_path: Path) -> None:
        """Name the process, and show the end of what it said."""
        tail = log_path.read_text(errors="replace").splitlines()[-8:]
        said = "\n".join(f"    {line}" for line in tail)
        super().__init__(f"{name} does not start; the end of {log_path}:\n{said}")


@dataclass(slots=True)
class _Child:
    plan: ChildPlan
    process: subprocess.Popen[bytes] | None = None
    ready_fd: int | None = None
    started_s: float = 0.0
    wait_s: float = FIRST_WAIT_S
    due_s: float = 0.0
    ready: bool = False
    falls: int = 0  # since it was last ready


class Supervisor:
    """Keeps children alive from one thread: the one that the kernel ties their lives to."""

    def __init__(self, plans: Sequence[ChildPlan], log_dir: Path) -> None:
        self.children = [_Child(plan) for plan in plans]
        self.log_dir = log_dir
        self.stopping = False

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready` once all are, and return after a stop signal.

        Must run on the main thread: children die with the thread that started them.
        """
        with _signals() as woken:
            try:
                for child in self.children:
                    self._start(child)
                announced = False
                while not self.stopping:
                    self._wait(woken)
                    self._restart_fallen()
                    if not announced and all(child.ready for child in self.children):
                        announced = True
                        when_ready()
            finally:
                self._stop_all()

    def _start(self, child: _Child) -> None:
        ready_read, ready_write = os.pipe()
        passed = [ready_write]
        listener = child.plan.listener
        if listener is not None:
            passed.append(listener.fileno())
        with self._open_log(child.plan) as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and package
                [sys.executable, "-m", "bot", *child.plan.arguments, "--child"],
                stdin=subprocess.PIPE,
                bufsize=0,  # what a dead child did not read must not be tried again at the close
                stdout=output,
                stderr=output,
                pass_fds=passed,
                env=built_environment(),
                process_group=0,  # a terminal's Ctrl-C is for us to pass on, in order
            )
        os.close(ready_write)
        note = Note(
            settings=child.plan.settings.to_json(),
            parent_pid=os.getpid(),
            ready_fd=ready_write,
            listen_fd=None if listener is None else listener.fileno(),
        )
        if process.stdin is not None:
            # The child may be dead already; it is started again like any that falls.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(note.model_dump_json().encode() + b"\n")
        child.process, child.ready_fd, child.ready = process, ready_read, False
        child.started_s = time.monotonic()

    def _wait(self, woken: socket.socket) -> None:
        """Sleep until a signal, a child that says it is ready, or a restart that is due."""
        ready = [child.ready_fd for child in self.children if child.ready_fd is not None]
        due = [child.due_s for child in self.children if child.process is None]
        timeout = max(0.0, min(due) - time.monotonic()) if due else None
        readable, _, _ = select.select([woken.fileno(), *ready], [], [], timeout)
        if woken.fileno() in readable:
            for number in woken.recv(64):
                if number != signal.SIGCHLD:
                    self.stopping = True
        for child in self.children:
            if child.ready_fd in readable and child.ready_fd is not None:
                said = os.read(child.ready_fd, 1)
                os.close(child.ready_fd)
                child.ready_fd = None
                if said:
                    child.ready, child.falls = True, 0
                    log.info("child_ready", child=child.plan.name)

    def _restart_fallen(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now)
            if child.process is None and now >= child.due_s and not self.stopping:
                self._start(child)

    def _bury(self, child: _Child, now: float) -> None:
        """Note that the child fell and when it is to be started again."""
        if child.process is None:
            return
        if child.process.stdin is not None:
            child.process.stdin.close()
        stable = now - child.started_s > STABLE_AFTER_S
        child.falls += 1
        if child.falls >= HOPELESS_AFTER and not stable:
            raise ChildFailed(child.plan.name, self._log_path(child.plan))
        child.wait_s = FIRST_WAIT_S if stable else min(child.wait_s * 2, LONGEST_WAIT_S)
        child.due_s = now + child.wait_s
        log.warning(
            "child_fell",
            child=child.plan.name,
            code=child.process.returncode,
            again_in_s=child.wait_s,
            log=str(self._log_path(child.plan)),
        )
        child.process = None

    def _log_path(self, plan: ChildPlan) -> Path:
        return self.log_dir / f"{plan.name}.log"

    def _open_log(self, plan: ChildPlan) -> BinaryIO:
        """Open the child's log to append, after putting a long one aside."""
        path = self._log_path(plan)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".old.log"))
        return path.open("ab")

    def _stop_all(self) -> None:
        """Ask every child to end, in reverse order, and insist after `STOP_WITHIN_S`."""
        alive = [child.process for child in reversed(self.children) if child.process is not None]
        for process in alive:
            process.terminate()
        until = time.monotonic() + STOP_WITHIN_S
        for process in alive:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("child_killed", pid=process.pid)
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """Turn the signals that concern us into bytes on a socket, for as long as the block runs."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)  # noqa: FBT003 - positional only
    woken.setblocking(False)  # noqa: FBT003 - positional only
    numbers = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, _noted) for number in numbers}
    old = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    try:
        yield woken
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        woken.close()
        waker.close()


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the byte on the socket is the news."""
