import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.cli.supervisor import MAX_LOG_BYTES, ChildFailed, ChildPlan, Supervisor
from bot.kernel.processes import built_environment
from bot.settings import Settings


def plan(name: str, arguments: Sequence[str], data_dir: Path) -> ChildPlan:
    settings = Settings(data_dir=data_dir, target_token="of-the-platform")  # type: ignore[arg-type]
    return ChildPlan(name=name, arguments=arguments, settings=settings)


def never() -> None:
    pytest.fail("it said that everything is ready")


def test_a_child_that_never_gets_ready_ends_it_all_with_what_it_said(tmp_path: Path) -> None:
    broken = plan("platform", ["nonsense"], tmp_path)
    log = tmp_path / "platform.log"

    with pytest.raises(ChildFailed) as failed:
        Supervisor([broken], tmp_path).run(never)

    tail = "".join(f"\n    {line}" for line in log.read_text().splitlines()[-8:])
    assert str(failed.value) == f"platform does not start; the end of {log}:{tail}"
    assert "there is no command 'nonsense'" in log.read_text()


def test_the_others_end_with_the_one_that_never_gets_ready(tmp_path: Path) -> None:
    worker = plan("worker", ["worker"], tmp_path)
    broken = plan("platform", ["nonsense"], tmp_path)
    supervisor = Supervisor([worker, broken], tmp_path)

    with pytest.raises(ChildFailed):
        supervisor.run(never)

    assert supervisor.children[1].falls == 4
    process = supervisor.children[0].process
    # None where it had fallen by itself just then, as it may on a busy machine: it lacks a target.
    assert process is None or process.returncode is not None


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "platform.log"
    with log.open("wb") as file:
        file.truncate(MAX_LOG_BYTES + 1)

    with pytest.raises(ChildFailed):
        Supervisor([plan("platform", ["nonsense"], tmp_path)], tmp_path).run(never)

    assert (tmp_path / "platform.old.log").stat().st_size == MAX_LOG_BYTES + 1
    assert log.stat().st_size < 100_000


# Says that it is ready, twice; then what it was given.
CHILD = """
from bot.cli.handover import receive
handover = receive()
handover.ready()
handover.ready()
print(handover.settings.github_webhook_secret.get_secret_value(), flush=True)
print(handover.listener and handover.listener.getsockname()[1], flush=True)
input()
"""


def start_child(parent_pid: int, **note: object) -> tuple["subprocess.Popen[str]", int]:
    """Start a child with a note as `previewbot up` writes it, and a pipe for its ready."""
    readable, writable = os.pipe()
    listen_fd = note.get("listen_fd")
    passed = [writable, listen_fd] if isinstance(listen_fd, int) else [writable]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=passed,
        env=built_environment(),
        text=True,
    )
    os.close(writable)
    settings = Settings(github_webhook_secret="quiet").to_json()  # type: ignore[arg-type]
    line = {"settings": settings, "parent_pid": parent_pid, "ready_fd": writable, **note}
    assert child.stdin is not None
    child.stdin.write(json.dumps(line) + "\n")
    child.stdin.flush()
    return child, readable


def test_a_child_gets_settings_socket_and_a_way_to_say_that_it_is_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child, readable = start_child(os.getpid(), listen_fd=listener.fileno())
        with child:
            assert child.stdout is not None
            given = [child.stdout.readline().strip() for _ in range(2)]
            child.kill()

        with open(readable, "rb") as said:  # noqa: PTH123 - a descriptor
            assert said.read() == b"1"
        assert given == ["quiet", str(listener.getsockname()[1])]


def test_a_child_whose_parent_is_gone_ends_before_it_does_anything() -> None:
    somebody_else = os.getppid()

    child, readable = start_child(somebody_else)
    output, _ = child.communicate()

    os.close(readable)
    assert output == ""
    assert child.returncode == -9
