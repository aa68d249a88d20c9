"""CI and the container image go through the same scripts as a person does."""

import re
import shutil
from pathlib import Path

import pytest

from tests.house.machine import ROOT, Machine

APT = 'echo "$*" >> "$CALLS"'
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with apt-get and an administrator, and nothing to install from."""
    machine = Machine(tmp_path / "path")
    machine.has("apt-get", APT)
    machine.has("id", "echo 0")
    return machine


def test_only_missing_system_parts_are_installed(machine: Machine, tmp_path: Path) -> None:
    machine.has("git", "")
    machine.has("python3", "")
    calls = tmp_path / "calls"

    machine.runs("system-parts", "git", "make", "venv", "bubblewrap", CALLS=str(calls))

    assert calls.read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends make bubblewrap",
    ]


def test_with_all_parts_there_nothing_is_called(machine: Machine, tmp_path: Path) -> None:
    for name in ("git", "make", "python3", "bwrap"):
        machine.has(name, "")
    calls = tmp_path / "calls"

    ended = machine.runs("system-parts", "git", "make", "venv", "bubblewrap", CALLS=str(calls))

    assert ended.returncode == 0
    assert not calls.exists()


def test_without_apt_the_missing_parts_are_named(machine: Machine) -> None:
    machine.lacks("apt-get")

    ended = machine.runs("system-parts", "git", "venv")

    assert ended.returncode == 1
    assert ended.stderr.startswith("missing: git python3 python3-venv;")


def test_ci_runs_the_readme_test_command_and_ends_with_its_code(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / ".ci", project / ".ci")
    machine = Machine(tmp_path / "path", scripts=project)
    machine.has_real("bash", "dirname", "env")
    machine.has("make", 'echo "CI=$CI make $*"; exit 7')
    (project / "scripts").mkdir()
    (project / "scripts" / "system-parts").write_text('#!/bin/sh\necho "parts: $*"\n')
    (project / "scripts" / "system-parts").chmod(0o755)

    ended = machine.runs(".ci/run")

    assert ended.returncode == 7
    assert ended.stdout.splitlines() == [
        "parts: git make venv bubblewrap",
        "CI=true make test",
    ]
    assert re.search(r"^make test\b", README, re.MULTILINE)


def instructions(name: str) -> list[str]:
    """Return the arguments of every such instruction of the Dockerfile, lines joined."""
    joined = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")
    ]


def test_the_image_installs_through_the_scripts_that_are_tested() -> None:
    installing = [run for run in instructions("RUN") if re.search(r"setup|system-parts", run)]
    by_hand = [
        run for run in instructions("RUN") if re.search(r"(?<!-)\b(pip|venv|uv|apt|apt-get) ", run)
    ]

    assert [run.split()[0].rsplit("/", 1)[-1] for run in installing] == ["setup", "system-parts"]
    assert by_hand == []


def test_the_image_has_two_stages_and_runs_as_nobody_special() -> None:
    assert len(instructions("FROM")) == 2
    assert instructions("USER") == ["previewbot"]
    assert instructions("ENTRYPOINT") == ['["previewbot"]']


def test_what_the_image_copies_is_not_ignored() -> None:
    kept = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source.split("/")[0]
        for copy in instructions("COPY")
        if not copy.startswith("--from")
        for source in copy.split()[:-1]
    }

    assert copied == kept
