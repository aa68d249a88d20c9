"""No secret shows: in no child's arguments or environment, in no log, in no file of others."""

import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from typing_extensions import override

from tests.e2e.author import Author
from tests.e2e.installation import Installation

# Of the operator. The target's token is of no use to an embedded platform, and may still be set.
GIVEN = {
    "PREVIEWBOT_GITHUB_WEBHOOK_SECRET": "webhook-secret-given-by-the-operator",
    "PREVIEWBOT_ADMIN_TOKEN": "admin-token-given-by-the-operator",
    "PREVIEWBOT_TARGET_TOKEN": "target-token-given-by-the-operator",
}

# First on the path instead of git: leaves its arguments and environment behind, then is git.
WITNESS = """\
#!/bin/sh
{{ printf '%s\\n' "$0" "$@"; env; echo; }} >> {record}
exec {git} "$@"
"""


@dataclass(eq=False)
class Watch(threading.Thread):
    """Looks at argv and environment of every process below this test, again and again."""

    # The children of this process that are of other tests, which may still be running.
    strangers: frozenset[int]
    exempt: int = 0  # whose environment is not looked at
    seen: dict[tuple[int, float], str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    @override
    def run(self) -> None:
        while not self.over.wait(0.001):
            self.look()

    def look(self) -> None:
        for child in psutil.Process().children():
            if child.pid in self.strangers:
                continue
            with suppress(psutil.Error):  # it ended meanwhile
                for process in (child, *child.children(recursive=True)):
                    self.look_at(process)

    def look_at(self, process: psutil.Process) -> None:
        with suppress(psutil.Error):
            shown = process.cmdline()
            if process.pid != self.exempt:
                shown += [f"{name}={value}" for name, value in process.environ().items()]
            # A process shows its parent's between fork and exec, so every look counts.
            key = (process.pid, process.create_time())
            self.seen[key] = self.seen.get(key, "") + "\n".join(shown)

    def stop(self) -> None:
        self.look()
        self.over.set()
        self.join()


@dataclass(frozen=True)
class Deployed:
    """What there was to see while pushes became previews."""

    installation: Installation
    secrets: list[str]
    processes: list[str]
    git_calls: str


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("secrecy")
    record = folder / "git-calls"
    environment = {**GIVEN, "PATH": f"{witness(folder / 'bin', record)}:{os.environ['PATH']}"}
    # Made by the operator beforehand and open to everyone, as `mkdir` does it.
    (folder / "data").mkdir(mode=0o755)
    strangers = frozenset(process.pid for process in psutil.Process().children())
    with Installation(folder / "data", environment) as installation:
        assert installation.process is not None
        # `previewbot up` itself was given the secrets by its operator, in this very environment.
        watch = Watch(strangers, exempt=installation.process.pid)
        watch.start()
        author = Author.of(installation, "secrecy", folder)
        for greeting in ("First", "Second"):
            assert author.ended(author.push(greeting)).state == "live"
        watch.stop()
        made = json.loads((folder / "data" / "credentials.json").read_text())
        yield Deployed(
            installation=installation,
            secrets=[*GIVEN.values(), made["webhook_secret"], made["api_token"]],
            processes=list(watch.seen.values()),
            git_calls=record.read_text(),
        )


def witness(folder: Path, record: Path) -> Path:
    """Return a folder with a `git` that tells on its caller."""
    folder.mkdir()
    script = folder / "git"
    script.write_text(WITNESS.format(record=record, git=shutil.which("git")))
    script.chmod(0o755)
    return folder


def files_below(folder: Path) -> list[Path]:
    return [
        path for path in folder.rglob("*") if stat.S_ISREG(path.lstat().st_mode) and path.exists()
    ]


def holds(path: Path, needles: list[str]) -> bool:
    content = path.read_bytes()
    return any(needle.encode() in content for needle in needles)


@pytest.mark.parametrize(
    "word", ["worker", "web", "subhosting\napi", "subhosting\nhost", "deno\nrun", "hook"]
)
def test_every_kind_of_process_was_looked_at(deployed: Deployed, word: str) -> None:
    assert any(word in shown and "PATH=" in shown for shown in deployed.processes)


def test_no_process_shows_a_secret(deployed: Deployed) -> None:
    for shown in deployed.processes:
        assert not [secret for secret in deployed.secrets if secret in shown], shown
        assert "PREVIEWBOT_" not in shown


@pytest.mark.parametrize("command", ["fetch", "ls-tree", "cat-file"])
def test_every_git_of_the_worker_was_looked_at(deployed: Deployed, command: str) -> None:
    assert f"\n{command}\n" in deployed.git_calls
    assert "GIT_TERMINAL_PROMPT=0" in deployed.git_calls


def test_no_git_is_given_a_secret(deployed: Deployed) -> None:
    assert not [secret for secret in deployed.secrets if secret in deployed.git_calls]
    assert "PREVIEWBOT_" not in deployed.git_calls


def test_only_two_private_files_hold_secrets(deployed: Deployed) -> None:
    data_dir = deployed.installation.data_dir

    found = sorted(path for path in files_below(data_dir) if holds(path, deployed.secrets))

    # The second holds what hooks of local repositories sign with, if the operator chose it.
    assert found == [data_dir / "address.json", data_dir / "credentials.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in found] == [0o600, 0o600]


def test_no_log_holds_a_secret(deployed: Deployed) -> None:
    data_dir = deployed.installation.data_dir
    logs = [*data_dir.rglob("*.log"), data_dir.with_suffix(".up.log")]

    assert {"worker.log", "web.log", "data.up.log"} <= {path.name for path in logs}
    assert [path for path in logs if holds(path, deployed.secrets)] == []


def test_nothing_that_is_kept_can_be_read_by_others(deployed: Deployed) -> None:
    data_dir = deployed.installation.data_dir
    # Local repositories belong to those who push, with their umask.
    ours = [path for path in files_below(data_dir) if "repositories" not in path.parts]

    assert len(ours) > 20
    assert [path for path in ours if is_open_to_others(path, data_dir)] == []


def is_open_to_others(path: Path, root: Path) -> bool:
    """Tell whether the modes of a file, and of each folder of ours above it, let others read it.

    `root` is the operator's own folder, whose mode must not matter.
    """
    folders = [folder for folder in path.parents if root in folder.parents]
    return bool(path.stat().st_mode & 0o077) and all(
        folder.stat().st_mode & 0o011 for folder in folders
    )
