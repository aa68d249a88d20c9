"""How `previewbot up` gives a child its settings, its socket and its end.

Settings hold secrets, and arguments and environment of a process can be read by others, so they
travel as one line of JSON on the child's standard input. The pipe stays open: where the kernel
cannot be asked to signal a child when its parent dies, its end is the life-line.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from bot.kernel.processes import die_with_parent
from bot.settings import Settings


class Note(BaseModel):
    """The line on standard input."""

    model_config = ConfigDict(frozen=True)

    settings: str  # Settings.to_json()
    parent_pid: int
    ready_fd: int
    listen_fd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the child works with."""

    settings: Settings
    listener: socket.socket | None
    ready: Callable[[], None]  # call once, when work can be taken


def receive() -> Handover:
    """Read the parent's note and tie this process's life to the parent's; call it first."""
    # The parent starts us with signals blocked or not, we need them delivered.
    note = Note.model_validate_json(sys.stdin.buffer.readline())
    # Not SIGTERM: an `up` that was killed leaves nobody who would insist when a router waits for
    # its visitors. All of our work outlives kill -9 anyway.
    die_with_parent(note.parent_pid, signal.SIGKILL)
    if sys.platform != "linux":
        threading.Thread(target=_end_with_the_pipe, daemon=True).start()
    os.set_inheritable(note.ready_fd, False)  # noqa: FBT003 - positional only
    listener = None
    if note.listen_fd is not None:
        listener = socket.socket(fileno=note.listen_fd)
        listener.set_inheritable(False)
    return Handover(
        settings=Settings.from_json(note.settings),
        listener=listener,
        ready=_Ready(note.ready_fd),
    )


class _Ready:
    """Tells the parent once; later calls do nothing."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor: int | None = descriptor

    def __call__(self) -> None:
        if self.descriptor is not None:
            os.write(self.descriptor, b"1")
            os.close(self.descriptor)
            self.descriptor = None


def _end_with_the_pipe() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
