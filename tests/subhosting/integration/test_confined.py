"""Real children in each way of confinement, with no Deno between them and the kernel."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
import uvloop

from bot.subhosting.host.child import start_child
from bot.subhosting.host.launcher import launcher
from bot.subhosting.sandbox import landlock, seccomp
from bot.subhosting.sandbox.bubblewrap import Bubblewrap
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.user_ids import UserIds
from bot.subhosting.sandbox.view import View

SHELL = Path("/bin/sh")


def confinement(level: Level) -> Confinement:
    bwrap = shutil.which("bwrap")
    root = os.getuid() == 0
    lowest = Confinement(
        level=level,
        launcher=launcher(),
        landlock=landlock.abi(),
        seccomp=seccomp.program(),
    )
    if level < Level.L2 or bwrap is None:
        return lowest
    wrap = Bubblewrap(program=Path(bwrap), setpriv=Path(lowest.launcher[0]) if root else None)
    return Confinement(
        level=level,
        launcher=lowest.launcher,
        landlock=lowest.landlock,
        seccomp=lowest.seccomp,
        bubblewrap=wrap,
        user_ids=UserIds() if root else None,
    )


CONFINED = [
    pytest.param(Level.L1, marks=pytest.mark.needs_system_part("landlock")),
    pytest.param(Level.L2, marks=pytest.mark.needs_system_part("bubblewrap")),
]


def said_by(level: Level, script: str, view: View, cwd: Path) -> tuple[int, str]:
    """Run a shell script in `view`, which has the system's programs."""
    heard = bytearray()

    async def whole() -> int:
        command = confinement(level).command(
            [str(SHELL), "-c", script], view, {"PATH": "/usr/bin:/bin"}
        )
        child = await start_child(command, cwd, lambda _, data: heard.extend(data), together=True)
        await asyncio.wait_for(child.over.wait(), 30)
        return await child.wait()

    code = uvloop.run(whole())
    return code, heard.decode()


@pytest.fixture
def view(tmp_path: Path) -> View:
    for name in ("readable", "writable", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"in {name}\n")
    return View(
        owner=tmp_path.name,
        readable=(tmp_path / "readable",),
        writable=(tmp_path / "writable",),
        system_programs=True,
    )


@pytest.mark.parametrize("level", CONFINED)
def test_a_child_sees_its_view_and_nothing_beside_it(
    level: Level, view: View, tmp_path: Path
) -> None:
    script = f"""cat {tmp_path}/readable/file {tmp_path}/writable/file
    echo new > {tmp_path}/writable/new && echo wrote
    cat {tmp_path}/outside/file && echo READ
    echo x > {tmp_path}/readable/new && echo WROTE
    cat /etc/passwd && echo PASSWD
    exit 7"""

    code, said = said_by(level, script, view, tmp_path / "readable")

    assert said.startswith("in readable\nin writable\nwrote\n"), said
    assert code == 7
    assert not {"READ", "WROTE", "PASSWD"} & set(said.split())
    assert (tmp_path / "writable" / "new").read_text() == "new\n"


@pytest.mark.parametrize("level", CONFINED)
def test_a_child_gains_no_privilege_and_no_namespace(
    level: Level, view: View, tmp_path: Path
) -> None:
    script = "unshare --user true && echo NAMESPACE; mount -t tmpfs x /mnt && echo MOUNTED; true"

    _, said = said_by(level, script, view, tmp_path)

    assert not {"NAMESPACE", "MOUNTED"} & set(said.split()), said


@pytest.mark.parametrize("level", CONFINED)
def test_a_link_to_somewhere_else_leads_nowhere(level: Level, view: View, tmp_path: Path) -> None:
    (tmp_path / "readable" / "link").symlink_to(tmp_path / "outside" / "file")

    _, said = said_by(level, f"cat {tmp_path}/readable/link && echo READ", view, tmp_path)

    assert "READ" not in said


@pytest.mark.needs_system_part("bubblewrap")
def test_a_signal_that_ends_the_program_is_told_from_a_code(view: View, tmp_path: Path) -> None:
    code, _ = said_by(Level.L2, "kill -9 $$", view, tmp_path)

    assert code == -9


@pytest.mark.needs_system_part("landlock")
def test_only_the_thread_is_restricted(tmp_path: Path) -> None:
    """What a child is held to must never hold its host."""
    view = View(owner="x", readable=(tmp_path,), system_programs=True)

    said_by(Level.L1, "true", view, tmp_path)

    assert Path("/etc/passwd").read_text()
    assert sys.executable


@pytest.mark.needs_system_part("bubblewrap")
def test_files_shared_with_others_keep_their_owner(view: View, tmp_path: Path) -> None:
    """A blob is one file for many deployments: whoever owns it could change it for all."""
    blob = tmp_path / "outside" / "file"
    linked = tmp_path / "writable" / "linked"
    linked.hardlink_to(blob)

    said_by(Level.L2, f"chmod 666 {linked}; echo changed > {linked}", view, tmp_path)

    if os.getuid() == 0:
        assert blob.read_text() == "in outside\n"
        assert blob.stat().st_uid == 0
    assert (tmp_path / "writable" / "file").stat().st_uid != 0 or os.getuid() != 0


@pytest.mark.parametrize("level", [Level.L0, *CONFINED])
def test_a_child_gives_way_to_us(level: Level, view: View, tmp_path: Path) -> None:
    # Below L2 nothing holds it until it is told.
    script = """for turn in 0 1 2 3 4 5 6 7 8 9; do
        chrt -p $$ | grep -o SCHED_BATCH && break || sleep 0.2
    done; nice"""

    _, said = said_by(level, script, view, tmp_path)

    policy, niceness = said.split()
    assert policy == "SCHED_BATCH"
    assert int(niceness) > os.getpriority(os.PRIO_PROCESS, 0)
