"""Landlock: what the kernel lets a thread, and every child it starts, reach of files and ports.

It needs neither root nor namespaces, and it cannot be taken back. Only what is listed is allowed:
https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

# The same numbers on every architecture: asm-generic/unistd.h.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH, _NET_PORT = 1, 2  # enum landlock_rule_type

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h

# LANDLOCK_ACCESS_FS_*
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
# Remove and make of every kind but the devices' ones.
_MAKE = sum(1 << bit for bit in (4, 5, 7, 8, 9, 10, 12))
_ALL_OF_ABI_1 = (1 << 13) - 1
# Rights that came later, by the ABI that knows them.
_LATER = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV}

_READ = _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _MAKE | _REFER | _TRUNCATE
# The only rights that mean anything for a file; the kernel refuses others.
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1  # LANDLOCK_ACCESS_NET_*, from ABI 4
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1  # LANDLOCK_SCOPE_*, from ABI 6

PORTS_SINCE = 4
SCOPES_SINCE = 6

_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """What stays allowed. None for `connect_ports` leaves the network alone.

    With ports, no TCP port may be listened on. Without `files` the file system is left alone,
    which a program that mounts (bubblewrap) needs. Paths that do not exist are passed over.
    """

    files: bool = True
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    executable: tuple[Path, ...] = ()
    connect_ports: tuple[int, ...] | None = None


def abi() -> int:
    """Return which version of Landlock the kernel speaks; 0 is none."""
    if sys.platform != "linux":
        return 0
    found: int = _LIBC.syscall(_CREATE_RULESET, None, 0, _VERSION)
    return max(found, 0)


def restrict_thread(ruleset: Ruleset, version: int) -> None:
    """Hold the calling thread, and what it starts from now on, to `ruleset`, for ever.

    Other threads of the process are not affected. It takes about 0.2 ms. `no_new_privs` is set
    first, as the kernel demands.

    Raises:
        OSError: the kernel refused; the thread may have lost the right to new privileges.

    """
    with ExitStack() as stack:
        fd = _create(ruleset, version)
        stack.callback(os.close, fd)
        if ruleset.files:
            handled = _handled(version)
            for paths, access in (
                (ruleset.readable, _READ),
                (ruleset.writable, _WRITE),
                (ruleset.executable, _EXECUTE | _READ),
            ):
                _allow_paths(fd, paths, access & handled)
        for port in ruleset.connect_ports or ():
            if version >= PORTS_SINCE:
                _call(_ADD_RULE, fd, _NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port), 0)
        no_new_privileges()
        _call(_RESTRICT_SELF, fd, 0)


def no_new_privileges() -> None:
    """Keep the calling thread and its children from ever gaining any by a program's mode."""
    if _LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _create(ruleset: Ruleset, version: int) -> int:
    files = _handled(version) if ruleset.files else 0
    ports = 0
    if ruleset.connect_ports is not None and version >= PORTS_SINCE:
        ports = _BIND_TCP | _CONNECT_TCP
    scopes = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if version >= SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", files, ports, scopes)
    # An older kernel takes a longer structure as long as what it does not know is zero.
    return _call(_CREATE_RULESET, attributes, len(attributes), 0)


def _handled(version: int) -> int:
    later = (right for since, right in _LATER.items() if since <= version)
    return _ALL_OF_ABI_1 | sum(later)


def _allow_paths(ruleset: int, paths: Iterable[Path], access: int) -> None:
    for path in paths:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            allowed = access if path.is_dir() else access & _OF_FILES
            # struct landlock_path_beneath_attr is packed.
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, fd), 0)
        finally:
            os.close(fd)


def _call(number: int, *arguments: object) -> int:
    result: int = _LIBC.syscall(number, *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
