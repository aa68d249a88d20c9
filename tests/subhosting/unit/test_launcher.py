"""Children give way to us; orphans of an earlier host are ended if they are ours."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from bot.subhosting.host.launcher import Nursery, restrict
from bot.subhosting.sandbox.view import ProcessLimits

WAITING = [sys.executable, "-c", "import sys; sys.stdin.read()"]

# Told to go on, it starts another one, which says how it is scheduled.
SAYING = (
    "import os, sys\n"
    "sys.stdin.readline()\n"
    "if os.fork():\n"
    "    os.wait()\n"
    "else:\n"
    "    print(os.sched_getscheduler(0), os.nice(0))"
)
FORKING = [sys.executable, "-c", SAYING]


def test_a_child_and_what_it_starts_give_way_to_us() -> None:
    with subprocess.Popen(FORKING, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        restrict(child.pid, ProcessLimits())
        told, _ = child.communicate(b"\n", timeout=10)

    scheduler, niceness = map(int, told.split())
    assert scheduler == os.SCHED_BATCH
    assert niceness > os.getpriority(os.PRIO_PROCESS, 0)


def test_only_a_process_that_still_names_its_socket_is_ended(tmp_path: Path) -> None:
    socket = tmp_path / "i" / "abc.123"
    with (
        subprocess.Popen([*WAITING, str(socket)], stdin=subprocess.PIPE) as ours,
        subprocess.Popen(WAITING, stdin=subprocess.PIPE) as stranger,
    ):
        nursery = Nursery(tmp_path / "pids")
        nursery.add(ours.pid, socket)
        nursery.add(stranger.pid, socket)
        nursery.add(2**22 + 1, socket)

        reaped = Nursery(tmp_path / "pids").reap()

        assert reaped == [ours.pid]
        assert ours.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None
        assert list((tmp_path / "pids").iterdir()) == []
