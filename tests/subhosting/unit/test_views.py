"""What children of a deployment get to see."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.sandbox.argv import Sandbox
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.view import ProcessLimits, View
from bot.subhosting.sandbox.views import build_view, install_view, run_view

SANDBOX = Sandbox(
    deno=Path("/bin/deno"),
    owner="abc",
    source=Path("/data/abc/src"),
    cache=Path("/data/abc/cache"),
    entry_point="main.ts",
    socket=Path("/run/abc.1/s"),
    heap_mib=128,
)
LIMITS = ProcessLimits(data_bytes=1)
SCRATCH = Path("/data/abc/scratch")


def test_an_instance_reads_its_files_and_writes_beside_its_socket() -> None:
    assert run_view(SANDBOX, LIMITS) == View(
        owner="abc",
        readable=(Path("/data/abc/src"),),
        writable=(Path("/data/abc/cache"), Path("/run/abc.1")),
        executables=(Path("/bin/deno"),),
        limits=LIMITS,
    )


def test_a_database_and_an_overlay_are_part_of_the_view() -> None:
    sandbox = replace(
        SANDBOX, kv_file=Path("/kv/one/kv.sqlite"), lock=Path("/data/abc/overlay/deno.lock")
    )

    view = run_view(sandbox, LIMITS)

    assert view.readable == (Path("/data/abc/src"), Path("/data/abc/overlay"))
    assert view.writable[-1] == Path("/kv/one")


def test_the_installer_writes_the_lock_file_and_sees_no_socket() -> None:
    assert install_view(SANDBOX, SCRATCH, LIMITS).writable == (
        Path("/data/abc/src"),
        Path("/data/abc/cache"),
        SCRATCH,
    )


def test_a_build_runs_what_it_wrote_and_the_programs_of_the_system() -> None:
    view = build_view(SANDBOX, SCRATCH, Path("/data/tools"), LIMITS)

    assert view.writable == (Path("/data/abc/src"), Path("/data/abc/cache"), SCRATCH)
    assert set(view.executables) == {Path("/bin/deno"), Path("/data/tools"), *view.writable}
    assert view.system_programs


def test_the_lowest_level_only_puts_the_launcher_in_front() -> None:
    confinement = Confinement(launcher=("setpriv", "--"))

    command = confinement.command(["deno"], run_view(SANDBOX, LIMITS), {"A": "1"})

    assert command.argv == ("setpriv", "--", "deno")
    assert (command.environment, command.limits, command.level) == ({"A": "1"}, LIMITS, Level.L0)


def test_a_level_is_called_by_its_name() -> None:
    assert Level.named("l2") is Level.L2
    with pytest.raises(ValueError, match="no isolation level 'high'"):
        SubhostingConfig(data_dir=Path("/d"), min_isolation="high")
