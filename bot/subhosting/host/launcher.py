"""Start Deno so that it never outlives the host, and find those that did anyway."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from bot.subhosting.sandbox.view import ProcessLimits

_SETPRIV = (Path("/usr/bin/setpriv"), Path("/bin/setpriv"))

# Only root may give up capabilities that it would get back from a program it starts.
_NO_CAPABILITIES = ("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all")

# A neighbour's busy app must not slow down the router, which does the same work for all.
_NICENESS = 10

_HAS_PROC = sys.platform == "linux"


def launcher() -> tuple[str, ...]:
    """Return what to put before a command so that it dies with this process, or nothing.

    `setpriv` of util-linux sets the parent-death signal between fork and exec, and takes away what
    a root process may do beyond its files; doing the same in Python would fork the whole host (12
    ms instead of 0.2). Busybox's has no `--pdeathsig`.
    The kernel sends the signal when the starting *thread* ends: see `child`.
    """
    for path in _SETPRIV:
        if path.exists():
            for privileges in (_NO_CAPABILITIES, ()):
                candidate = (str(path), "--pdeathsig", "KILL", *privileges, "--")
                command = [*candidate, str(path), "--version"]
                tried = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - constants
                if tried.returncode == 0:
                    return candidate
    return ()


def restrict(pid: int, limits: ProcessLimits) -> None:
    """Put resource limits on a child that has just been started, and have it give way to us.

    Being nice is not enough: where the kernel groups processes by session a nice value counts only
    among those of one session, and each child has its own. As a batch process it takes its share
    and does not interrupt who is running; else it interrupts the router after most writes to it,
    which then costs a tenth more (sched(7), "The autogroup feature" and "SCHED_BATCH").

    From outside, because a function run between fork and exec would cost a whole fork. Deno needs
    15 ms to reach the app's first line, and we come 0.1 ms after its start.
    """
    if sys.platform != "linux":
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_DATA: limits.data_bytes,
    }
    try:
        for limit, value in wanted.items():
            if value is None:
                continue
            _, hard = resource.prlimit(pid, limit)
            # Only root may raise what the host itself is limited to.
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.prlimit(pid, limit, (most, most))
        os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)
        with contextlib.suppress(PermissionError):  # where only an administrator chooses
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    except ProcessLookupError:
        return  # it ended already; its exit status says why


def restrict_below(pid: int, limits: ProcessLimits) -> None:
    """Put the limits also on what a child has started before it had them itself.

    What it starts later inherits them. For children that nothing holds until they are limited, and
    from a thread that Landlock does not keep from `/proc`.
    """
    for child in children(pid):
        restrict(child, limits)
        restrict_below(child, limits)


def children(pid: int) -> list[int]:
    """Return what a process has started and not waited for; none where nobody tells."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_bytes()
    except OSError:
        return []
    return [int(child) for child in listed.split()]


class Nursery:
    """Which processes are ours, written down, so that a later start can end those left behind."""

    def __init__(self, folder: Path) -> None:
        """Keep one small file per process in `folder`."""
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def add(self, pid: int, socket: Path) -> None:
        """Write down that `pid` serves on `socket`, which its command line names."""
        (self._folder / str(pid)).write_text(str(socket), encoding="utf-8")

    def remove(self, pid: int) -> None:
        """Forget a process that ended."""
        (self._folder / str(pid)).unlink(missing_ok=True)

    def reap(self) -> list[int]:
        """Kill what an earlier host left behind, and return the pids.

        A pid is killed only if its command line still names the socket that we gave it: the
        number may belong to a stranger by now.
        """
        killed: list[int] = []
        for file in self._folder.iterdir():
            if file.name.isdigit():
                pid = int(file.name)
                socket = file.read_text(encoding="utf-8")
                if socket and socket in _command_line(pid):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                file.unlink(missing_ok=True)
        return killed


def _command_line(pid: int) -> str:
    if _HAS_PROC:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603 - a number and constants
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], check=False, capture_output=True
    )
    return listed.stdout.decode(errors="replace")
