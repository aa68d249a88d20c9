"""Control groups: memory, processes and processor time of a child with all below it.

Version 2 where the host may make groups below its own, else version 1. Every data directory has a
group of its own, with one below it for each child, so that what a killed host left can be told
from others' and removed. https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.sandbox.view import ProcessLimits

_MOUNT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("memory", "pids", "cpu")

# Of which a group gets a share: cpu.max and cpu.cfs_period_us in microseconds.
_PERIOD_US = 100_000

_PROCESSES = "cgroup.procs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why there are no groups, and what would help."""

    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Group:
    """The group of one child: one folder in version 2, one for each controller in version 1."""

    folders: tuple[Path, ...]

    def open(self) -> "Entrance":
        """Return the way in, which works also for a thread that may not open files any more."""
        return Entrance(tuple(os.open(each / _PROCESSES, os.O_WRONLY) for each in self.folders))

    def ran_out_of_memory(self) -> bool:
        """Return whether the kernel had to end a process in it for want of memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(FileNotFoundError):
                    counts = dict(
                        line.split() for line in (folder / name).read_text("ascii").splitlines()
                    )
                    return int(counts.get("oom_kill", "0")) > 0
        return False

    def remove(self) -> bool:
        """Remove it; False if something in it has not quite ended yet."""
        for folder in self.folders:
            with contextlib.suppress(FileNotFoundError):
                try:
                    folder.rmdir()
                except OSError:
                    return False
        return True

    def kill(self) -> None:
        """End every process in it."""
        for folder in self.folders:
            with contextlib.suppress(FileNotFoundError):
                for pid in (folder / _PROCESSES).read_text(encoding="ascii").split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Entrance:
    """The open way into a group; close it."""

    descriptors: tuple[int, ...] = ()

    def enter(self, pid: int) -> None:
        """Move a process in; those that it starts from now on are in as well."""
        for descriptor in self.descriptors:
            os.write(descriptor, str(pid).encode())

    def close(self) -> None:
        """Close it."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Cgroups:
    """The groups of one data directory."""

    def __init__(self, parents: Mapping[str, Path], *, version: int) -> None:
        """Make groups below `parents`, by controller: one for all of them in version 2."""
        self.version = version
        self._parents = parents
        self._ending: list[Group] = []

    @property
    def folders(self) -> tuple[Path, ...]:
        """The groups that hold those of all children."""
        return tuple(dict.fromkeys(self._parents.values()))

    def create(self, name: str, limits: ProcessLimits) -> Group:
        """Make a group that holds its processes to `limits`.

        Raises:
            OSError: the kernel refused.

        """
        self.tidy()
        group = Group(tuple(dict.fromkeys(each / name for each in self._parents.values())))
        for folder in group.folders:
            folder.mkdir(exist_ok=True)
        for controller, parent in self._parents.items():
            settings = _settings(controller, limits, self.version)
            for file, value in settings.items():
                with contextlib.suppress(FileNotFoundError):  # swap is not always accounted
                    (parent / name / file).write_text(value, encoding="ascii")
        return group

    def drop(self, group: Group) -> None:
        """Remove a group whose child has ended, now or a little later."""
        self._ending.append(group)
        self.tidy()

    def tidy(self) -> None:
        """Remove the groups whose last process has ended meanwhile."""
        self._ending = [group for group in self._ending if not group.remove()]

    def clear(self) -> None:
        """End and remove whatever an earlier host left behind."""
        for parent in set(self._parents.values()):
            for folder in parent.iterdir():
                if folder.is_dir():
                    left = Group((folder,))
                    left.kill()
                    self.drop(left)

    def close(self) -> None:
        """Remove the data directory's own groups, if nothing is in them."""
        self.tidy()
        for parent in set(self._parents.values()):
            with contextlib.suppress(OSError):
                parent.rmdir()


def found(
    name: str, mount: Path = _MOUNT, own: Path = Path("/proc/self/cgroup")
) -> Cgroups | Unusable:
    """Return the groups called `name`, made below our own group, or why there are none."""
    try:
        mine = _own_groups(own.read_text(encoding="utf-8"))
    except OSError:
        return Unusable(reason="this system has no control groups", fix="run on Linux")
    for attempt in (_version_2, _version_1):
        groups = attempt(name, mount, mine)
        if groups is not None:
            return groups
    return Unusable(
        reason="no control group may be made below our own",
        fix="run as root, or by systemd with Delegate=yes in a unit of its own",
    )


def _own_groups(text: str) -> dict[str, str]:
    """Return our path by controller; version 2 is the empty name. See cgroups(7)."""
    groups: dict[str, str] = {}
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        groups.update((name, path) for name in names.split(","))
    return groups


def _version_2(name: str, mount: Path, mine: Mapping[str, str]) -> Cgroups | None:
    own = mount / mine.get("", "/").lstrip("/")
    enabled = own / "cgroup.subtree_control"
    wanted = set(_CONTROLLERS)
    try:
        if not wanted <= set((own / "cgroup.controllers").read_text(encoding="ascii").split()):
            return None
        if not wanted <= set(enabled.read_text(encoding="ascii").split()):
            with _moved_aside(own):
                enabled.write_text(" ".join(f"+{each}" for each in _CONTROLLERS), encoding="ascii")
        parent = own / name
        parent.mkdir(exist_ok=True)
        (parent / "cgroup.subtree_control").write_text(
            " ".join(f"+{each}" for each in _CONTROLLERS), encoding="ascii"
        )
    except OSError:
        return None
    return Cgroups(dict.fromkeys(_CONTROLLERS, parent), version=2)


@contextlib.contextmanager
def _moved_aside(own: Path) -> Iterator[None]:
    """Move ourselves into a group beside the children's: one with processes may enable nothing.

    Others in our group are not ours to move; with them the kernel refuses, and we move back.
    """
    aside = own / "previewbot"
    root = not (own / "cgroup.type").exists()
    if not root:
        aside.mkdir(exist_ok=True)
        (aside / _PROCESSES).write_text(str(os.getpid()), encoding="ascii")
    try:
        yield
    except OSError:
        if not root:
            (own / _PROCESSES).write_text(str(os.getpid()), encoding="ascii")
            aside.rmdir()
        raise


def _version_1(name: str, mount: Path, mine: Mapping[str, str]) -> Cgroups | None:
    parents: dict[str, Path] = {}
    for controller in _CONTROLLERS:
        if controller in mine:
            folder = mount / controller / mine[controller].lstrip("/") / name
            with contextlib.suppress(OSError):
                folder.mkdir(exist_ok=True)
                parents[controller] = folder
    return Cgroups(parents, version=1) if "memory" in parents else None


def _settings(controller: str, limits: ProcessLimits, version: int) -> dict[str, str]:
    memory, processes, cpus = limits.memory_bytes, limits.processes, limits.cpus
    match controller, version:
        case ("memory", 2) if memory is not None:
            # Swapping would let one app slow down all, and last longer than its limit.
            return {"memory.max": str(memory), "memory.swap.max": "0", "memory.oom.group": "1"}
        case ("memory", 1) if memory is not None:
            return {
                "memory.limit_in_bytes": str(memory),
                "memory.memsw.limit_in_bytes": str(memory),
            }
        case ("pids", _) if processes is not None:
            return {"pids.max": str(processes)}
        case ("cpu", 2) if cpus is not None:
            return {"cpu.max": f"{int(cpus * _PERIOD_US)} {_PERIOD_US}"}
        case ("cpu", 1) if cpus is not None:
            return {
                "cpu.cfs_period_us": str(_PERIOD_US),
                "cpu.cfs_quota_us": str(int(cpus * _PERIOD_US)),
            }
        case _:
            return {}
