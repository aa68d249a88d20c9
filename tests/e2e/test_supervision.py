"""`previewbot up` and its children, killed and stopped: nothing stays, nothing is lost."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.kernel.processes import built_environment
from bot.kernel.runtime_dir import runtime_directory
from tests.e2e.author import Author
from tests.e2e.installation import Installation, command_line
from tests.e2e.patience import until

# Serves after 2 s: long enough to be stopped in the middle of its build.
SLOW_APP = """\
await new Promise((resolve) => setTimeout(resolve, 2000));
Deno.serve(() => new Response("at last"));
"""

# Answers with a stream that never ends.
ENDLESS_APP = """\
Deno.serve(() => new Response(new ReadableStream({
  async pull(controller) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.enqueue(new TextEncoder().encode("more "));
  },
})));
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("shared") / "data") as installation:
        yield installation


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that run; a zombie has ended and waits for somebody to ask."""
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def gone(processes: list[psutil.Process]) -> bool:
    try:
        return not alive(processes)
    except psutil.NoSuchProcess:  # between the two questions
        return False


def runtime_directories(data_dir: Path) -> list[Path]:
    """Return where the sockets of the bot and of the platform are."""
    found = [runtime_directory(data_dir), runtime_directory(data_dir / "subhosting")]
    assert all(any(path.iterdir()) for path in found)
    return found


def kill_tree(installation: Installation, *words: str) -> psutil.Process:
    """End one child and everything below it, so that really nobody takes its work."""
    child = installation.child(*words)
    for process in [child, *child.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it went with the one before
            process.kill()
    return child


def up(data_dir: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a `previewbot up` that is expected to give up by itself."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "up", "--data", str(data_dir), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=built_environment(**environment),
    )


def test_after_a_killed_up_nothing_is_left_and_the_next_start_works(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    installation.start()
    author = Author.of(installation, "phoenix", tmp_path)
    before = author.push("Before the kill")
    author.ended(before)
    endless = Author.of(installation, "endless", tmp_path)
    (endless.copy.folder / "main.ts").write_text(ENDLESS_APP)
    streaming = endless.push("Never ends")
    endless.ended(streaming)

    with socket.create_connection(("127.0.0.1", port_of(author.stable_url())), 10) as visitor:
        host = endless.stable_url().removeprefix("http://")
        visitor.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert visitor.recv(1000).startswith(b"HTTP/1.1 200")  # a router would wait for them
        deno = [each for each in installation.children() if "deno" in command_line(each)]
        children = installation.kill()
        until(lambda: gone(children), f"the end of {children}", within_s=5)

    with installation:
        assert len(deno) >= 2
        assert "Before the kill" in author.served(before).body.decode()
        after = author.push("After the kill")
        assert author.ended(after).state == "live"
        assert "After the kill" in author.served(after).body.decode()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.parametrize(
    "words", [("bot", "web"), ("subhosting", "api"), ("subhosting", "host")], ids="-".join
)
def test_a_push_while_a_process_is_down_is_not_lost(
    installation: Installation, tmp_path: Path, words: tuple[str, ...]
) -> None:
    author = Author.of(installation, f"without-{words[-1]}", tmp_path)
    first = author.push("Everything is up")
    author.ended(first)

    killed = kill_tree(installation, *words)
    second = author.push("Something is down")

    assert author.ended(second).state == "live"
    assert "Something is down" in author.served(second).body.decode()
    assert installation.child(*words) != killed
    with installation.reader() as reader:
        assert [one.head for one in author.attempts(reader)] == [second, first]


def test_a_visitor_waits_while_the_router_is_down(
    installation: Installation, tmp_path: Path
) -> None:
    author = Author.of(installation, "visited", tmp_path)
    author.ended(author.push("Patience"))

    kill_tree(installation, "subhosting", "host")

    assert "Patience" in installation.get(author.stable_url()).body.decode()


def test_a_worker_stopped_in_a_build_hands_the_work_back(
    installation: Installation, tmp_path: Path
) -> None:
    author = Author.of(installation, "slow", tmp_path)
    (author.copy.folder / "main.ts").write_text(SLOW_APP)
    head = author.push("Slowly")
    begun = installation.look_until(
        lambda reader: next((one for one in author.attempts(reader) if one.target_id), None),
        "a build",
    )

    stopped = installation.child("bot", "worker")
    stopped.terminate()
    ended = author.ended(head)

    assert (ended.id, ended.state, ended.target_id) == (begun.id, "live", begun.target_id)
    assert author.served(head).body == b"at last"
    assert installation.child("bot", "worker") != stopped
    assert len(author.on_platform()) == 1
    assert "event=worker_stopped steps_cut_off=false" in installation.logs().lower()


def test_a_stopped_up_takes_everything_with_it(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    installation.start()
    author = Author.of(installation, "farewell", tmp_path)
    author.ended(author.push("Goodbye"))
    process, children = installation.process, installation.children()
    sockets = runtime_directories(installation.data_dir)

    installation.stop()

    assert process is not None
    assert process.returncode == 0
    assert len(children) >= 5
    assert alive(children) == []
    assert [path for path in sockets if path.exists()] == []


@pytest.mark.parametrize("moment", ["Push main", "Ctrl-C stops everything"])
def test_ctrl_c_ends_the_demo_with_nothing_left(tmp_path: Path, moment: str) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=built_environment(TMPDIR=str(tmp_path)),
        process_group=0,
    )
    assert demo.stdout is not None
    with demo, demo.stdout as output:
        said = ""
        while moment not in said:
            line = output.readline()
            assert line, said
            said += line
        children = psutil.Process(demo.pid).children(recursive=True)
        (data_dir,) = tmp_path.glob("*/data")
        sockets = runtime_directories(data_dir)

        os.killpg(demo.pid, signal.SIGINT)
        said += output.read()

    assert demo.returncode == 0, said
    assert "Stopped; nothing is left behind." in said
    assert len(children) >= 5
    until(lambda: gone(children), f"the end of {children}", within_s=5)
    assert list(tmp_path.iterdir()) == []
    assert [path for path in sockets if path.exists()] == []


def test_a_second_up_on_the_same_directory_says_what_is_wrong(
    installation: Installation,
) -> None:
    second = up(installation.data_dir, "--port", "0", "--preview-port", "0")

    assert second.returncode == 1
    assert second.stderr == (
        "previewbot: PREVIEWBOT_DATA_DIR: another `previewbot up` runs on "
        f"{installation.data_dir}; stop it or choose another directory\n"
    )


@pytest.mark.parametrize(
    "setting", ["PREVIEWBOT_PORT", "PREVIEWBOT_PREVIEW_PORT", "PREVIEWBOT_API_PORT"]
)
def test_a_busy_port_names_its_setting(tmp_path: Path, setting: str) -> None:
    free = {"PREVIEWBOT_PORT": "0", "PREVIEWBOT_PREVIEW_PORT": "0"}
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = up(tmp_path / "data", **{**free, setting: str(port)})

    assert done.returncode == 1
    assert done.stderr == (
        f"previewbot: {setting}: cannot listen on 127.0.0.1:{port} (Address already in use); "
        "choose another port\n"
    )


def test_a_mistyped_variable_warns_with_the_nearest_name_and_without_its_value(
    installation: Installation,
) -> None:
    done = up(installation.data_dir, PREVIEWBOT_GITHUB_WEBHOOK_SECRT="tellnobody")

    assert done.stderr.startswith(
        "previewbot: warning: PREVIEWBOT_GITHUB_WEBHOOK_SECRT is not a setting; "
        "did you mean PREVIEWBOT_GITHUB_WEBHOOK_SECRET?\n"
    )
    assert "tellnobody" not in done.stderr
