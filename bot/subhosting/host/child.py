"""Children that run other people's code: started confined, heard to the end, never left behind.

Each child has a thread of ours that starts it and waits for its end, because the kernel ties two
things to the starting *thread*: the parent-death signal, and what Landlock and seccomp hold, which
a child inherits. So the host can confine a child without confining itself and without a program in
between, and a killed host takes its children along.
"""

import asyncio
import contextlib
import functools
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import IO, Any

from typing_extensions import override

from bot.subhosting.host import confined_start
from bot.subhosting.host.confined_start import Inner
from bot.subhosting.host.launcher import restrict_below
from bot.subhosting.sandbox.cgroups import Group
from bot.subhosting.sandbox.confinement import Command

STDOUT, STDERR = 1, 2
_SHELL_BASE = 128

# Runs in the event loop with 1 or 2, and what the child wrote there.
Said = Callable[[int, bytes], None]


@dataclass(eq=False, slots=True)
class Child:
    """A process that has been started; its whole process group ends with it.

    `exited` gets the exit code, a negative one for the signal that ended it.
    """

    pid: int
    exited: "asyncio.Future[int]"
    # The first process of the child's own process namespace, if it has one.
    inner: Inner | None = None
    # Known at its end: whether the kernel ended a process of it for using more than its limit.
    ran_out_of_memory: bool = False
    # Set when the process is over and everything that it wrote has been heard.
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _open_pipes: set[int] = field(default_factory=set)
    _after: list[Callable[[], None]] = field(default_factory=list)

    async def wait(self) -> int:
        """Wait for the end of the process and return its code."""
        return await asyncio.shield(self.exited)

    def when_over(self, call: Callable[[], None]) -> None:
        """Call `call` when the process is over and everything that it wrote has been heard."""
        if self.over.is_set():
            call()
        else:
            self._after.append(call)

    def opened(self, fd: int) -> None:
        """Learn that it may write to `fd`."""
        self._open_pipes.add(fd)

    def closed(self, fd: int) -> None:
        """Learn that nothing more comes from `fd`."""
        self._open_pipes.discard(fd)
        self.look()

    def look(self) -> None:
        """Find out whether it is over."""
        if not self._open_pipes and self.exited.done() and not self.over.is_set():
            self.over.set()
            for call in self._after:
                call()

    @property
    def app_pid(self) -> int:
        """The process that runs the program: below those that hold it, if there are any."""
        found = None if self.inner is None else self.inner.program()
        return self.pid if found is None else found

    def terminate(self) -> None:
        """Ask it to end."""
        if not self.exited.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.app_pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and all below it now; returns before it has ended."""
        # Not asked for its exit code yet, so the number is still its own.
        if not self.exited.done():
            with contextlib.suppress(ProcessLookupError):
                if self.inner is None:
                    os.killpg(self.pid, signal.SIGKILL)
                else:
                    self.inner.kill()


async def start_child(
    command: Command,
    cwd: Path,
    said: Said,
    *,
    together: bool = False,
    ending: Callable[[], None] | None = None,
) -> Child:
    """Start a confined child; `said` hears what it writes.

    `together` sends standard error where standard output goes, in the order of writing. `ending`
    is called when the process is over and its counters can still be read. A start that is
    cancelled leaves no process behind.

    Raises:
        OSError: it could not be started.

    """
    life = _Life(command, cwd, together=together, ending=ending)
    starting = asyncio.create_task(life.started(said))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            child = await starting
            child.kill()
            await child.over.wait()
        raise


class _Life:
    """A child's thread, and what it tells the event loop."""

    def __init__(
        self, command: Command, cwd: Path, *, together: bool, ending: Callable[[], None] | None
    ) -> None:
        self._command = command
        self._cwd = cwd
        self._together = together
        self._ending = ending
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.Future[subprocess.Popen[bytes]] = self._loop.create_future()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        self._child: Child | None = None
        self._inner: Inner | None = None
        self._group: Group | None = None
        self._listeners: tuple[socket.socket, ...] = ()

    async def started(self, said: Said) -> Child:
        """Start the process and listen to it."""
        # A daemon, so that a host that must go does not wait for it; the child goes as well then.
        threading.Thread(target=self._live, name="child", daemon=True).start()
        process = await self._process
        child = self._child = Child(process.pid, self._exited, self._inner)
        self._serve_inside(child)
        if not self._command.bubblewrapped:
            restrict_below(process.pid, self._command.limits)
        pipes = {STDOUT: process.stdout, STDERR: process.stderr}
        given = {fd: pipe for fd, pipe in pipes.items() if pipe is not None}
        for fd, pipe in given.items():
            child.opened(fd)
            listening = functools.partial(_Pipe, fd, said, child)
            await self._loop.connect_read_pipe(listening, _given_away(pipe))
        self._exited.add_done_callback(lambda _: child.look())
        return child

    def _serve_inside(self, child: Child) -> None:
        command = self._command
        if not self._listeners or command.serve_inside is None:
            return
        child.when_over(command.serve_inside(command.owner, self._listeners))

    def _live(self) -> None:
        """Run in the thread from the start of the process to its end."""
        try:
            process = self._start()
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller waits for it
            self._tell(self._process.set_exception, error)
            return
        self._tell(self._process.set_result, process)
        if hasattr(os, "waitid"):
            # Without asking for the exit code, which would take its counters away.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        else:
            process.wait()
        self._tell(self._end, process)

    def _start(self) -> "subprocess.Popen[bytes]":
        started = confined_start.start(self._command, self._cwd, together=self._together)
        self._inner, self._group = started.inner, started.group
        self._listeners = started.listeners
        return started.process

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        """Run in the event loop when the process is over."""
        if self._ending is not None:
            self._ending()
        # Before the exit code is asked for: until then the number is nobody else's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        if self._inner is not None:
            self._inner.close()
            # As a shell does, bubblewrap adds 128 to the signal that ended the program.
            code = _SHELL_BASE - code if code > _SHELL_BASE else code
        if self._group is not None and self._command.cgroups is not None:
            if self._child is not None:
                self._child.ran_out_of_memory = self._group.ran_out_of_memory()
            self._command.cgroups.drop(self._group)
        self._exited.set_result(code)

    def _tell(self, call: Callable[[Any], None], fact: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody asks any more
            self._loop.call_soon_threadsafe(call, fact)


def _given_away(pipe: IO[bytes]) -> FileIO:
    """Return an end of a pipe that only the event loop closes.

    uvloop closes the file that it was given, and then the descriptor itself. In between another
    thread may have got the number for a file of its own: its next use of that is a `Bad file
    descriptor`. https://github.com/MagicStack/uvloop, handles/handle.pyx, `UVSocketHandle._close`
    """
    descriptor = os.dup(pipe.fileno())
    pipe.close()
    return FileIO(descriptor, "rb", closefd=False)


class _Pipe(asyncio.Protocol):
    """One of a child's outputs."""

    def __init__(self, fd: int, said: Said, child: Child) -> None:
        self._fd = fd
        self._said = said
        self._child = child

    @override
    def data_received(self, data: bytes) -> None:
        self._said(self._fd, data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._child.closed(self._fd)
