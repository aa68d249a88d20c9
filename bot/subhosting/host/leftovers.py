"""Processes that a build started and left behind, found by what is in their environment.

A daemon leaves its process group, its session and its parent; its environment stays. Each command
of a build gets a `TMPDIR` of its own, which no other process has. One that clears its environment
as well gets away here: a process namespace (level 2 of the sandbox) is what ends those.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

# A process may fork while we look; a few rounds outrun everything but a fork bomb.
_ROUNDS = 20

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def end_all(scratch: Path) -> list[int]:
    """Kill every process whose `TMPDIR` is `scratch` or lies below it; return their ids."""
    killed: list[int] = []
    for _ in range(_ROUNDS):
        found = list(_of(scratch))
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed.append(pid)
        if not found:
            break
    return killed


def memory_bytes(scratch: Path) -> int:
    """Return how much memory the processes of a build use now, shared files not counted."""
    total = 0
    for pid in _of(scratch):
        try:
            sizes = Path(f"/proc/{pid}/statm").read_bytes().split()
        except OSError:
            continue
        total += (int(sizes[1]) - int(sizes[2])) * _PAGE_BYTES
    return total


def _of(scratch: Path) -> Iterator[int]:
    """Yield the ids of a build's processes; none where the kernel does not show environments."""
    if sys.platform != "linux":
        return
    exact = b"TMPDIR=" + bytes(scratch)
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes()
        except OSError:
            continue  # gone, or somebody else's
        variables = environment.split(b"\0")
        if any(each == exact or each.startswith(exact + b"/") for each in variables):
            yield int(entry.name)
