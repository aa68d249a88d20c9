"""Listeners inside the network namespace of a child, made from outside before it begins.

A child with a network of its own has a loopback interface and nothing else. What it may reach are
listening sockets that were made in there and are served out here: the egress proxy, for one. No
address, route or packet filter is needed for it. https://man7.org/linux/man-pages/man7/network_namespaces.7.html

Two ways lead inside. Whoever has the right to (root) lends a thread. Everybody else must first
enter the user namespace that owns the network, which only a process of a single thread may: a fork
of ours that sends the sockets back and ends. https://man7.org/linux/man-pages/man2/setns.2.html
"""

import array
import contextlib
import ctypes
import errno
import fcntl
import os
import queue
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Final, Self

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
# _IO(0xb7, 1) of linux/nsfs.h: the user namespace that owns a namespace.
_NS_GET_USERNS: Final = 0xB701

# linux/sockios.h, linux/if.h
_SIOCGIFFLAGS: Final = 0x8913
_IFF_UP: Final = 1

_LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 128

# Two seconds; bubblewrap needs less than one millisecond.
_LOOK_EVERY_S: Final = 0.0002
_LOOKS: Final = 10_000

# The answer of a fork that could not: an errno instead of sockets.
_FAILED: Final = struct.Struct("=i")

# Serves listeners inside the network of an owner's child; returns what to call when that is over.
ServeInside = Callable[[str, Sequence[socket.socket]], Callable[[], None]]

_libc = ctypes.CDLL(None, use_errno=True)


class Doors:
    """Opens listeners inside other networks; made before its thread is held to anything.

    Landlock and seccomp hold a thread and all that it starts, so a thread of its own that began
    before does the work for the one that starts the child.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        """Get ready to open each of `ports`."""
        self._ports = tuple(ports)
        self._asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._made: queue.SimpleQueue[list[socket.socket] | OSError] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="doors", daemon=True)
        self._thread.start()

    def open(self, pid: int) -> list[socket.socket]:
        """Return a listening socket for each port, on 127.0.0.1 of the network of `pid`.

        Raises:
            OSError: there is no such network, or no way inside.

        """
        self._asked.put(pid)
        made = self._made.get()
        if isinstance(made, OSError):
            raise made
        return made

    def __enter__(self) -> Self:
        """Begin a block at whose end the thread ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the thread; the sockets stay open."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        pid = self._asked.get()
        if pid is None:
            return
        try:
            self._made.put(listeners_inside(pid, self._ports))
        except OSError as error:
            self._made.put(error)


def listeners_inside(pid: int, ports: Sequence[int]) -> list[socket.socket]:
    """Return a listening socket for each port, on 127.0.0.1 of the network of `pid`.

    The calling thread may be in that network ever after: let it end.

    Raises:
        OSError: there is no such network, it is our own, or there is no way inside.

    """
    with _opened(f"/proc/{pid}/ns/net") as network, _owner(network) as owner:
        if _same(network, "/proc/self/ns/net"):
            raise OSError("the process has no network of its own")
        if _same(owner, "/proc/self/ns/user"):
            _enter(network, _CLONE_NEWNET)
            return _listening(ports)
        return _from_a_fork(owner, network, ports)


def _listening(ports: Sequence[int]) -> list[socket.socket]:
    with ExitStack() as stack:
        _await_loopback()
        made = []
        for port in ports:
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.bind((_LOOPBACK, port))
            listener.listen(_BACKLOG)
            made.append(listener)
        stack.pop_all()
        return made


def _await_loopback() -> None:
    """Wait until the interface is up, which whoever made the namespace does last.

    Not done here as well: bubblewrap gives up when the address is there before it.

    Raises:
        OSError: it does not happen.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack("16sH14x", b"lo", 0)
        for _ in range(_LOOKS):
            flags: int = struct.unpack("16sH14x", fcntl.ioctl(control, _SIOCGIFFLAGS, asked))[1]
            if flags & _IFF_UP:
                return
            select.select([], [], [], _LOOK_EVERY_S)
    raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))


def _from_a_fork(owner: int, network: int, ports: Sequence[int]) -> list[socket.socket]:
    """Do it in a process of one thread, which may enter another user namespace."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            _in_the_fork(owner, network, ports, theirs)
        theirs.close()
        try:
            return _received(ours, len(ports))
        finally:
            os.waitpid(pid, 0)


def _in_the_fork(
    owner: int, network: int, ports: Sequence[int], answer: socket.socket
) -> None:  # pragma: no cover - in another process
    """Answer with the sockets, or with an errno, and end: nothing of ours may run in here."""
    try:
        _enter(owner, _CLONE_NEWUSER)
        _enter(network, _CLONE_NEWNET)
        made = _listening(ports)
        descriptors = array.array("i", [listener.fileno() for listener in made])
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)
        answer.sendmsg([_FAILED.pack(0)], [rights])
    except OSError as error:
        answer.send(_FAILED.pack(error.errno or 1))
    finally:
        os._exit(0)


def _received(answer: socket.socket, count: int) -> list[socket.socket]:
    room = socket.CMSG_SPACE(count * array.array("i").itemsize)
    said, rights, _, _ = answer.recvmsg(_FAILED.size, room)
    descriptors = array.array("i")
    for _, _, content in rights:
        descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    made = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    failure = _FAILED.unpack(said)[0] if len(said) == _FAILED.size else 1
    if failure or len(made) != count:
        for each in made:
            each.close()
        raise OSError(failure, f"no way into the network: {os.strerror(failure)}")
    return made


def _enter(namespace: int, kind: int) -> None:
    if _libc.setns(namespace, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _owner(network: int) -> Iterator[int]:
    """Give the user namespace that owns a network; not that of its process, which may be below."""
    descriptor = fcntl.ioctl(network, _NS_GET_USERNS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _same(namespace: int, path: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        here, there = os.fstat(namespace), os.stat(path)  # noqa: PTH116 - a descriptor beside it
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
    return False
