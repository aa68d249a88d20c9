"""The start of a confined child, in a thread that is given up to it.

What Landlock and seccomp hold, they hold for the calling thread and what it starts, so the thread
that came here does nothing else any more but wait for the child's end.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import orjson

from bot.subhosting.host.launcher import restrict
from bot.subhosting.sandbox import landlock, seccomp, user_ids
from bot.subhosting.sandbox.bubblewrap import with_descriptors
from bot.subhosting.sandbox.cgroups import Entrance, Group
from bot.subhosting.sandbox.confinement import Command
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.network import Doors

# What bubblewrap tells of itself is a few lines.
_TOLD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Inner:
    """The first process of a process namespace: with it, all others in there end."""

    pid: int
    descriptor: int

    def kill(self) -> None:
        """End the namespace."""
        signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)

    def program(self) -> int | None:
        """Return the pid of the program that it runs, or None before and after."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
        except OSError:
            return None
        first = children.split(maxsplit=1)[:1]
        return int(first[0]) if first else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process that runs, confined."""

    process: "subprocess.Popen[bytes]"
    inner: Inner | None
    group: Group | None
    # In the child's own network, for the ports that its command names.
    listeners: tuple[socket.socket, ...]


def start(command: Command, cwd: Path, *, together: bool) -> Started:
    """Start the child and hold this thread to what the child is held to, for ever.

    Raises:
        OSError: it could not be started; nothing is left of it.

    """
    with ExitStack() as stack:
        # Whatever opens files comes before the thread is confined.
        _hand_over(command)
        group, entrance = _group(command, stack)
        doors = stack.enter_context(Doors(command.inside_ports)) if command.inside_ports else None
        _confine_thread(command)
        spawn = _Spawn(command, stack)
        process = spawn.process(cwd, together=together)
        try:
            inner = spawn.inner()
            for pid in (process.pid, *(() if inner is None else (inner.pid,))):
                restrict(pid, command.limits)
            listeners = _listeners(inner, doors)
            # Bubblewrap itself stays outside.
            first = process.pid if inner is None else inner.pid
            if command.waits_for_group:
                entrance.enter(first)
                spawn.release()
            else:
                # The kernel takes 9 ms for a move that it did not expect: as long as Deno loads.
                spawn.release()
                entrance.enter(first)
                _follow(inner, entrance)
        except BaseException:
            process.kill()
            process.communicate()
            if group is not None and command.cgroups is not None:
                command.cgroups.drop(group)
            raise
        return Started(process=process, inner=inner, group=group, listeners=listeners)


def _follow(inner: Inner | None, entrance: Entrance) -> None:
    """Move in what the first process started before it was in itself."""
    program = None if inner is None else inner.program()
    if program is not None:
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            entrance.enter(program)


def _listeners(inner: Inner | None, doors: Doors | None) -> tuple[socket.socket, ...]:
    """Open in the child's own network what it connects to; it has not begun yet."""
    if doors is None or inner is None:
        return ()
    return tuple(doors.open(inner.pid))


def _hand_over(command: Command) -> None:
    """Make the view's folders, and let the child's user read and write there."""
    files = command.files
    uid = os.getuid() if files.uid is None else files.uid
    for folder in files.owned:
        user_ids.give(folder, uid)
    if files.uid is not None:
        for path in files.shown:
            user_ids.show(path)


def _group(command: Command, stack: ExitStack) -> tuple[Group | None, Entrance]:
    limits = command.limits
    if command.cgroups is None or {limits.memory_bytes, limits.processes, limits.cpus} == {None}:
        return None, Entrance()
    group = command.cgroups.create(secrets.token_hex(6), limits)
    try:
        entrance = group.open()
    except OSError:
        command.cgroups.drop(group)
        raise
    stack.callback(entrance.close)
    return group, entrance


def _confine_thread(command: Command) -> None:
    if command.level < Level.L1:
        return
    if command.ruleset is not None:
        landlock.restrict_thread(command.ruleset, command.landlock)
    else:
        landlock.no_new_privileges()
    if command.seccomp is not None and not command.bubblewrapped:
        seccomp.filter_thread(command.seccomp)


class _Spawn:
    """A process that is being started, with the pipes by which bubblewrap tells and waits."""

    def __init__(self, command: Command, stack: ExitStack) -> None:
        self._command = command
        self._argv: Sequence[str] = command.argv
        self._given: tuple[int, ...] = ()
        if command.bubblewrapped:
            self._told, self._telling = _pipe(stack)
            held, self._hold = _pipe(stack)
            rules = None if command.seccomp is None else _file_of(command.seccomp, stack)
            told = self._telling.fileno()
            self._argv = with_descriptors(
                command.argv, told=told, held=held.fileno(), filter_from=rules
            )
            given = (told, held.fileno(), rules)
            self._given = tuple(each for each in given if each is not None)

    def process(self, cwd: Path, *, together: bool) -> "subprocess.Popen[bytes]":
        """Start it."""
        process = subprocess.Popen(  # noqa: S603 - a built command line, never a shell
            self._argv,
            env=self._command.environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=self._given,
        )
        if self._given:
            self._telling.close()  # so that nobody but bubblewrap holds it open
        return process

    def inner(self) -> Inner | None:
        """Wait for bubblewrap to tell what it started; None if it failed, or is not there."""
        if not self._given:
            return None
        told = b""
        while not told.rstrip().endswith(b"}") and (piece := self._told.read(_TOLD_BYTES)):
            told += piece
        if not told:
            return None
        pid = int(orjson.loads(told)["child-pid"])
        return Inner(pid, os.pidfd_open(pid))

    def release(self) -> None:
        """Let the program begin."""
        if self._given:
            self._hold.write(b"1")


def _pipe(stack: ExitStack) -> tuple[FileIO, FileIO]:
    """Return a pipe's ends, closed with the stack at the latest."""
    reading, writing = os.pipe()
    return (
        stack.enter_context(FileIO(reading, "rb")),
        stack.enter_context(FileIO(writing, "wb")),
    )


def _file_of(content: bytes, stack: ExitStack) -> int:
    descriptor = os.memfd_create("seccomp")
    stack.callback(os.close, descriptor)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
