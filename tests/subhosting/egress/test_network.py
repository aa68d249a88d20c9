"""Listeners that are made inside the network of a child are all that it reaches."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bot.subhosting.sandbox.network import Doors

pytestmark = pytest.mark.needs_system_part("bubblewrap")

# Connects to each port given, and says what it was told there or why not.
CLIENT = """
import socket, sys
for target in sys.argv[1:]:
    host, port = target.split(":")
    try:
        with socket.create_connection((host, int(port)), 5) as connection:
            print(connection.recv(20).decode())
    except OSError as error:
        print(type(error).__name__, error.errno)
"""

# As the host uses it: with the right to enter, and without, by a user namespace.
WAYS = [(), ("--unshare-user", "--cap-drop", "ALL"), ("--unshare-user", "--uid", "1000")]


@dataclass
class Held:
    """A child in a network of its own that waits for its start."""

    pid: int
    process: "subprocess.Popen[str]"
    start: int

    def begin(self) -> None:
        os.write(self.start, b"1")

    def said(self) -> list[str]:
        return self.process.communicate(timeout=20)[0].splitlines()


@contextmanager
def held(targets: Sequence[str], options: Sequence[str] = ()) -> Iterator[Held]:
    told, telling = os.pipe()
    holding, start = os.pipe()
    command = [
        *("bwrap", *options, "--ro-bind", "/", "/", "--unshare-net", "--die-with-parent"),
        *("--info-fd", str(telling), "--block-fd", str(holding), "--"),
        *(sys.executable, "-c", CLIENT, *targets),
    ]
    with subprocess.Popen(
        command, pass_fds=[telling, holding], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            os.close(telling)
            os.close(holding)
            about = b""
            while not about.rstrip().endswith(b"}"):
                about += os.read(told, 4096)
            yield Held(json.loads(about)["child-pid"], process, start)
        finally:
            process.kill()
            os.close(told)
            os.close(start)


@pytest.mark.parametrize("options", WAYS)
def test_a_child_reaches_what_was_opened_inside_and_nothing_of_ours(
    options: Sequence[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        targets = ["127.0.0.1:3128", "127.0.0.1:4318", f"127.0.0.1:{port}", "192.0.2.1:80"]
        with held(targets, options) as child, Doors([3128, 4318]) as doors:
            first, second = doors.open(child.pid)
            with first, second:
                child.begin()
                for listener, words in ((first, b"proxy"), (second, b"logs")):
                    connection, _ = listener.accept()
                    connection.sendall(words)
                    connection.close()
                said = child.said()

    assert said == ["proxy", "logs", "ConnectionRefusedError 111", "OSError 101"]


def test_two_children_have_the_same_port_each_for_itself() -> None:
    with held([]) as one, held([]) as other:
        with Doors([8000]) as doors, Doors([8000]) as more:
            (here,), (there,) = doors.open(one.pid), more.open(other.pid)
        with here, there:
            assert here.getsockname() == there.getsockname() == ("127.0.0.1", 8000)


def test_a_process_in_our_own_network_is_refused() -> None:
    with Doors([0]) as doors, pytest.raises(OSError, match="no network of its own"):
        doors.open(os.getpid())


def test_a_process_that_is_gone_is_an_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with Doors([0]) as doors, pytest.raises(FileNotFoundError):
        doors.open(process.pid)


def test_doors_that_were_not_opened_leave_nothing_behind() -> None:
    with Doors([3128]):
        pass
