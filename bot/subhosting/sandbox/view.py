"""What a child process may see and do: one description for every kind of child and every level.

A level decides how well a view is held, never what is in it. At L0 nothing below Deno's own
permissions holds the paths; from L1 on the kernel does.
"""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Network(Enum):
    """Where a child may connect to."""

    NONE = "none"
    # The world outside: not our own ports.
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """What a child and those below it may use; None is no limit of its own.

    `data_bytes` (RLIMIT_DATA) and `open_files` hold for each process and are there at every level;
    `memory_bytes`, `processes` and `cpus` hold for all of them together, where there are cgroups.
    """

    open_files: int = 4096
    file_bytes: int | None = None
    data_bytes: int | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    cpus: float | None = None
    # What the private /tmp of L2 may hold.
    temporary_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything one child gets; paths are absolute and keep their names inside.

    Folders in `readable` and `writable` must exist when the child starts. A unix socket that the
    child listens on lies in a folder of its own that is in `writable`.
    """

    # Whose child it is: children of one owner share files, and at L2 a user id of their own.
    owner: str
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    # What it may execute; loader and shared libraries of the system come with it.
    executables: tuple[Path, ...] = ()
    # Whether it also gets the system's programs (a shell, coreutils): for builds, never for apps.
    system_programs: bool = False
    # Unix sockets of ours that it may connect to.
    sockets: tuple[Path, ...] = ()
    network: Network = Network.OUTSIDE
    # Ports of ours on loopback that it may connect to all the same.
    loopback_ports: tuple[int, ...] = ()
    limits: ProcessLimits = field(default_factory=ProcessLimits)
