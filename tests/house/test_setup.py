"""`scripts/setup` installs from the locks, says nothing on standard output, and breaks nothing."""

import shutil
from pathlib import Path

import pytest

from tests.house.machine import ROOT, Machine

# Answers like Python; `-m venv DIR` makes a copy of itself, and every call is written down.
PYTHON = """
echo "${0##*/} $*" >> "$CALLS"
case "$*" in
*version_info*) echo 3.11 ;;
"-m venv "*)
    for venv in "$@"; do :; done
    mkdir -p "$venv/bin" && touch "$venv/pyvenv.cfg" && cp "$0" "$venv/bin/python"
    ;;
*"--requirement"*) exit "${PIP_FAILS:-0}" ;;
esac
"""


class Project:
    """A checkout on a machine where installing is only written down."""

    def __init__(self, folder: Path) -> None:
        """Copy the real scripts beside made-up commands."""
        self.root = folder / "project"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        self.machine = Machine(folder / "path", scripts=self.root / "scripts")
        self.machine.has("python3", PYTHON)
        self.machine.has("uname", 'case "$1" in -s) echo Linux ;; -m) echo x86_64 ;; esac')
        self.machine.has("ldd", "echo GNU libc")
        self.machine.has("git", "echo git version 2.39.5")
        self.machine.has("make", "")
        self.machine.has_real("cp", "dirname", "id", "ls", "mkdir", "touch")
        self._calls = folder / "calls"

    def sets_up(self, *args: str, **variables: str) -> tuple[int, str, str]:
        """Run scripts/setup; return its exit code and what it wrote to each stream."""
        ended = self.machine.runs("setup", *args, CALLS=str(self._calls), **variables)
        return ended.returncode, ended.stdout, ended.stderr

    def calls(self, start: str) -> list[str]:
        """Return the calls so far that begin with `start`."""
        return [call for call in self._calls.read_text().splitlines() if call.startswith(start)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_it_makes_a_venv_installs_the_lock_with_hashes_and_then_ourselves(
    project: Project,
) -> None:
    assert project.sets_up()[0] == 0

    assert project.calls("python3 -m venv") == [f"python3 -m venv --clear {project.root}/.venv"]
    lock, ours = project.calls("python -m pip install")
    assert lock.endswith(f"--require-hashes --requirement {project.root}/requirements/runtime.txt")
    assert ours.endswith(f"--no-deps --no-build-isolation --editable {project.root}")


@pytest.mark.parametrize("profile", ["runtime", "dev", "deploy"])
def test_each_profile_has_its_lock(project: Project, profile: str) -> None:
    assert project.sets_up(f"--{profile}")[0] == 0

    assert project.calls("python -m pip install")[0].endswith(f"/requirements/{profile}.txt")
    assert (ROOT / "requirements" / f"{profile}.txt").exists()


def test_the_venv_goes_where_it_is_told_even_with_a_space(
    project: Project, tmp_path: Path
) -> None:
    venv = tmp_path / "some where"

    assert project.sets_up("--venv", str(venv), "--no-editable")[0] == 0

    assert (venv / "bin" / "python").exists()
    assert project.calls("python -m pip install")[1].endswith(
        f"--no-build-isolation {project.root}"
    )


def test_standard_output_stays_empty(project: Project) -> None:
    _, stdout, stderr = project.sets_up()

    assert stdout == ""
    assert "Installing requirements/runtime.txt" in stderr


def test_a_venv_that_works_is_kept(project: Project) -> None:
    project.sets_up()
    project.sets_up("--dev")

    assert len(project.calls("python3 -m venv")) == 1


def test_a_venv_whose_python_is_gone_is_made_anew(project: Project) -> None:
    project.sets_up()
    (project.root / ".venv" / "bin" / "python").unlink()

    assert project.sets_up()[0] == 0
    assert len(project.calls("python3 -m venv")) == 2


def test_a_folder_that_is_no_venv_is_left_alone(project: Project, tmp_path: Path) -> None:
    precious = tmp_path / "photos"
    precious.mkdir()
    (precious / "cat.jpg").touch()

    code, _, stderr = project.sets_up("--venv", str(precious))

    assert code == 1
    assert f"{precious} exists and is no virtual environment" in stderr
    assert [file.name for file in precious.iterdir()] == ["cat.jpg"]


def test_a_failed_preflight_stops_before_anything_is_made(project: Project) -> None:
    project.machine.lacks("git")

    code, _, stderr = project.sets_up()

    assert code == 1
    assert "git is missing" in stderr
    assert not (project.root / ".venv").exists()


def test_a_failed_install_fails_the_setup(project: Project) -> None:
    assert project.sets_up(PIP_FAILS="3")[0] == 3


@pytest.mark.parametrize("args", [("--everything",), ("--venv",), ("--venv", ""), ("surprise",)])
def test_wrong_arguments_are_a_usage_error(project: Project, args: tuple[str, ...]) -> None:
    code, _, stderr = project.sets_up(*args)

    assert code == 2
    assert stderr.startswith("usage: ")
