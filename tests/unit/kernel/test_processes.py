import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.kernel.processes import built_environment

ROOT = Path(__file__).parents[3]


def test_a_built_environment_has_nothing_of_ours_but_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/somewhere")
    monkeypatch.setenv("PREVIEWBOT_GITHUB_TOKEN", "secret")

    assert built_environment(HOME="/h") == {
        "PATH": "/somewhere",
        "LANG": "C.UTF-8",
        "HOME": "/h",
    }


def test_a_child_whose_parent_is_gone_already_ends_itself() -> None:
    code = "from bot.kernel.processes import die_with_parent; die_with_parent(1 << 30); input()"

    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)

    assert child.returncode == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_ends_when_its_parent_is_killed() -> None:
    child = (
        "import os, sys; from bot.kernel.processes import die_with_parent; "
        "die_with_parent(int(sys.argv[1])); print(os.getpid(), flush=True); sys.stdin.read()"
    )
    parent = (
        "import os, subprocess, sys; "
        f"subprocess.run([sys.executable, '-c', {child!r}, str(os.getpid())])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()

        process.kill()

        # The child holds the pipe's other end: it reads as empty when the child is gone.
        assert process.stdout.read() == b""
