"""The preflight names all that is missing, each with the command that installs it."""

from pathlib import Path

import pytest

from tests.house.machine import Machine

GOOD = {
    "uname": 'case "$1" in -s) echo Linux ;; -m) echo x86_64 ;; esac',
    "ldd": "echo 'ldd (GNU libc) 2.36'",
    "id": "echo 1000",
    "python3": 'case "$2" in *version_info*) echo 3.11 ;; esac',
    "git": "echo git version 2.39.5",
    "make": "",
    "apt-get": "",
}


def python(version: str, *, makes_venvs: bool = True) -> str:
    """Return a script that answers like a Python of that version."""
    ensurepip = "" if makes_venvs else "*ensurepip*) exit 1 ;;"
    return f'case "$2" in *version_info*) echo {version} ;; {ensurepip} esac'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine that has everything."""
    machine = Machine(tmp_path / "path")
    for name, script in GOOD.items():
        machine.has(name, script)
    return machine


def test_a_complete_machine_is_silent_and_names_its_python(machine: Machine) -> None:
    found = machine.runs("preflight")

    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines()[-1] == str(machine.folder / "python3")


def test_all_that_is_missing_is_named_at_once(machine: Machine) -> None:
    machine.lacks("git", "make")
    machine.has("python3", python("3.11", makes_venvs=False))

    found = machine.runs("preflight")

    assert found.returncode == 1
    assert found.stdout == ""
    no_venv = "cannot make virtual environments: its venv or ensurepip module is missing"
    assert found.stderr.splitlines() == [
        "previewbot cannot be set up here yet:",
        f"  - python3 (Python 3.11) {no_venv}",
        "      sudo apt-get install -y python3.11-venv",
        "  - git is missing; previewbot needs 2.39 or newer",
        "      sudo apt-get install -y git",
        "  - make is missing",
        "      sudo apt-get install -y make",
    ]


def test_the_administrator_needs_no_sudo(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.lacks("git")

    assert "      apt-get install -y git" in machine.runs("preflight").stderr.splitlines()


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("dnf", "sudo dnf install -y git"),
        ("pacman", "sudo pacman -S --needed git"),
        ("zypper", "sudo zypper install -y git"),
        ("brew", "brew install git"),
        (None, "install git with this system's package manager"),
    ],
)
def test_the_command_is_the_one_of_this_machine(
    machine: Machine, manager: str | None, command: str
) -> None:
    machine.lacks("git", "apt-get")
    if manager is not None:
        machine.has(manager, "")

    assert f"      {command}" in machine.runs("preflight").stderr.splitlines()


@pytest.mark.parametrize(
    ("answer", "will_do"),
    [
        ("git version 2.39.0", True),
        ("git version 2.50.1 (Apple Git-155)", True),
        ("git version 3.0.rc1", True),
        ("git version 2.38.9", False),
        ("git version 2.4.11", False),
        ("git version unknown", False),
    ],
)
def test_the_version_of_git_is_compared_by_number(
    machine: Machine, answer: str, *, will_do: bool
) -> None:
    machine.has("git", f"echo '{answer}'")

    found = machine.runs("preflight")

    assert (found.returncode == 0) is will_do
    assert ("needs 2.39 or newer" in found.stderr) is not will_do


def test_a_newer_python_beside_an_old_one_is_used(machine: Machine) -> None:
    machine.has("python3", python("3.9"))
    machine.has("python3.12", python("3.12"))

    found = machine.runs("preflight")

    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines()[-1] == str(machine.folder / "python3.12")


def test_a_python_that_makes_venvs_is_preferred_to_one_that_does_not(machine: Machine) -> None:
    machine.has("python3", python("3.13", makes_venvs=False))
    machine.has("python3.11", python("3.11"))

    assert machine.runs("preflight").stdout.splitlines()[-1].endswith("/python3.11")


def test_a_python_that_does_not_start_is_passed_over(machine: Machine) -> None:
    machine.has("python3", "echo 'no version is set' >&2; exit 127")
    machine.has("python3.14", python("3.14"))

    assert machine.runs("preflight").stdout.splitlines()[-1].endswith("/python3.14")


def test_only_an_old_python_says_which_it_is(machine: Machine) -> None:
    machine.has("python3", python("3.9"))

    found = machine.runs("preflight")

    assert found.returncode == 1
    assert "  - python3 is Python 3.9; previewbot needs 3.11 or newer\n" in found.stderr
    assert "sudo apt-get install -y python3.11 python3.11-venv" in found.stderr


def test_no_python_at_all_is_named(machine: Machine) -> None:
    machine.lacks("python3")

    found = machine.runs("preflight")

    assert "  - python3 is missing; previewbot needs Python 3.11 or newer\n" in found.stderr
    assert "sudo apt-get install -y python3 python3-venv" in found.stderr


def test_an_interpreter_chosen_by_hand_is_the_only_one_tried(machine: Machine) -> None:
    machine.has("mine", python("3.12"))
    machine.has("old", python("3.8"))

    chosen = machine.runs("preflight", PYTHON="mine")
    too_old = machine.runs("preflight", PYTHON="old")
    absent = machine.runs("preflight", PYTHON="nowhere")

    assert chosen.stdout.splitlines()[-1] == str(machine.folder / "mine")
    assert "old is Python 3.8; previewbot needs 3.11 or newer" in too_old.stderr
    assert "PYTHON=nowhere does not run" in absent.stderr
    assert (too_old.returncode, absent.returncode) == (1, 1)


def test_musl_is_refused_with_the_reason(machine: Machine) -> None:
    machine.has("ldd", "echo 'musl libc (x86_64)' >&2; exit 1")

    found = machine.runs("preflight")

    assert found.returncode == 1
    assert "this Linux uses musl" in found.stderr


@pytest.mark.parametrize("processor", ["x86_64", "aarch64", "arm64"])
def test_both_processor_families_will_do(machine: Machine, processor: str) -> None:
    machine.has("uname", f'case "$1" in -s) echo Linux ;; -m) echo {processor} ;; esac')

    assert machine.runs("preflight").returncode == 0


def test_another_processor_is_refused(machine: Machine) -> None:
    machine.has("uname", 'case "$1" in -s) echo Linux ;; -m) echo riscv64 ;; esac')

    found = machine.runs("preflight")

    assert found.returncode == 1
    assert "the processor is riscv64" in found.stderr


def test_macos_will_do_and_hears_its_sandbox_level(machine: Machine) -> None:
    machine.has("uname", 'case "$1" in -s) echo Darwin ;; -m) echo arm64 ;; esac')
    machine.lacks("ldd")

    found = machine.runs("preflight")

    assert found.returncode == 0
    assert "lowest sandbox level, L0" in found.stderr


def test_other_systems_are_refused_and_pointed_elsewhere(machine: Machine) -> None:
    machine.has("uname", 'case "$1" in -s) echo MINGW64_NT-10.0 ;; -m) echo x86_64 ;; esac')

    found = machine.runs("preflight")

    assert found.returncode == 1
    assert "MINGW64_NT-10.0 is not supported" in found.stderr
    assert "WSL 2" in found.stderr


def test_deploying_a_directory_needs_neither_git_nor_make(machine: Machine) -> None:
    machine.lacks("git", "make")

    assert machine.runs("preflight", "--deploy").returncode == 0


def test_an_unknown_profile_is_a_usage_error(machine: Machine) -> None:
    found = machine.runs("preflight", "--production")

    assert found.returncode == 2
    assert found.stderr.startswith("usage: ")
