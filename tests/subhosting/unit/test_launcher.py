"""Orphans of an earlier host: ended if they are ours, left alone if not."""

import signal
import subprocess
import sys
from pathlib import Path

from bot.subhosting.host.launcher import Nursery

WAITING = [sys.executable, "-c", "import sys; sys.stdin.read()"]


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
