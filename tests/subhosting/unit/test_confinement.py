"""From a view to what holds a child, by level."""

from pathlib import Path

import pytest

from bot.subhosting.host.protection import Protection
from bot.subhosting.sandbox.bubblewrap import Bubblewrap, with_descriptors
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.level import Isolation, Level, Missing
from bot.subhosting.sandbox.proofs import OF_L2, verdict
from bot.subhosting.sandbox.seccomp import program
from bot.subhosting.sandbox.user_ids import UserIds
from bot.subhosting.sandbox.view import Network, ProcessLimits, View

VIEW = View(
    owner="abc",
    readable=(Path("/data/abc/src"),),
    writable=(Path("/data/abc/cache"), Path("/run/abc")),
    executables=(Path("/opt/deno"),),
    limits=ProcessLimits(temporary_bytes=99),
)
LAUNCHER = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "--")
FILTER = b"filter"


def test_landlock_lists_what_the_view_needs_and_no_more() -> None:
    level_1 = Confinement(level=Level.L1, launcher=LAUNCHER, landlock=7, seccomp=FILTER)

    command = level_1.command(["/opt/deno", "run"], VIEW, {})

    assert command.argv == (*LAUNCHER, "/opt/deno", "run")
    assert command.ruleset is not None
    assert command.ruleset.readable[0] == Path("/data/abc/src")
    assert set(VIEW.writable) < set(command.ruleset.writable)
    assert {Path("/opt/deno"), Path("/usr/bin/setpriv")} < set(command.ruleset.executable)
    everything = {str(path) for path in command.ruleset.readable}
    assert everything.isdisjoint({"/", "/etc", "/proc", "/usr", "/data"})
    assert 443 in (command.ruleset.connect_ports or ())


def test_a_view_without_network_connects_nowhere() -> None:
    level_1 = Confinement(level=Level.L1, landlock=7)

    command = level_1.command(["a"], View(owner="abc", network=Network.NONE), {})

    assert command.ruleset is not None
    assert command.ruleset.connect_ports == ()


def test_bubblewrap_makes_folders_that_the_child_s_user_may_pass() -> None:
    wrap = Bubblewrap(program=Path("/usr/bin/bwrap"), setpriv=Path("/usr/bin/setpriv"))

    words = wrap.argv(["/opt/deno", "run"], VIEW, 1_900_000_000)

    line = " ".join(words)
    assert line.startswith("/usr/bin/bwrap --unshare-pid ")
    assert "--perms 1777 --size 99 --tmpfs /tmp" in line
    assert "--perms 0755 --dir /data --perms 0755 --dir /data/abc" in line
    assert "--ro-bind-try /data/abc/src /data/abc/src" in line
    assert "--bind /data/abc/cache /data/abc/cache" in line
    assert "--ro-bind-try /usr /usr" not in line
    assert line.endswith(
        "-- /usr/bin/setpriv --reuid 1900000000 --regid 1900000000 --clear-groups "
        "--inh-caps=-all --bounding-set=-all -- /opt/deno run"
    )


def test_without_root_bubblewrap_makes_a_user_namespace() -> None:
    words = Bubblewrap(program=Path("/bwrap")).argv(["a"], VIEW, None)

    assert "--unshare-user" in words
    assert "--cap-add" not in words
    assert words[-2:] == ("--", "a")


def test_what_is_writable_inside_what_is_readable_is_mounted_after_it() -> None:
    view = View(owner="a", readable=(Path("/d/cache/npm"),), writable=(Path("/d/cache"),))

    words = Bubblewrap(program=Path("/bwrap")).argv(["a"], view, None)

    assert words.index("/d/cache") < words.index("/d/cache/npm")


def test_descriptors_come_before_everything_else() -> None:
    assert with_descriptors(("bwrap", "--", "a"), told=5, held=6, filter_from=7) == [
        "bwrap", "--info-fd", "5", "--block-fd", "6", "--seccomp", "7", "--", "a",
    ]  # fmt: skip


@pytest.mark.parametrize(("machine", "unshare"), [("x86_64", 272), ("aarch64", 97)])
def test_the_filter_is_made_for_each_architecture(machine: str, unshare: int) -> None:
    made = program(machine)

    assert made is not None
    instructions = [made[place : place + 8] for place in range(0, len(made), 8)]
    compared = [int.from_bytes(each[4:], "little") for each in instructions if each[0] == 0x15]
    assert unshare in compared
    assert len(instructions) < 4096  # BPF_MAXINSNS
    assert program("riscv64") is None


def test_an_owner_keeps_its_user_id_and_shares_it_with_nobody(tmp_path: Path) -> None:
    ids = UserIds(first=5000, count=2)

    given = [ids.of(owner, (tmp_path,)) for owner in ("a", "b", "a")]

    assert given == [5000, 5001, 5000]
    # Nobody but the first comer can be asked to give way when all are taken.
    assert ids.of("c", (tmp_path,)) == 5000


def test_a_level_is_reached_when_every_required_layer_held() -> None:
    needed = {attempt for proof in OF_L2 if proof.required for attempt in proof.refused}

    reached = verdict(Level.L2, OF_L2, needed)
    failed = verdict(Level.L2, OF_L2, needed - {"processes"})

    assert (reached.reached, failed.reached) == (True, False)
    assert [each.layer for each in reached.missing] == ["landlock-ports", "own-user"]
    assert "not refused: processes" in [each.reason for each in failed.missing]


def test_what_may_not_run_here_is_refused_with_what_is_missing() -> None:
    missing = Missing(layer="L2", reason="bubblewrap is not installed", fix="install bubblewrap")
    here = Protection(
        isolation=Isolation(level=Level.L1, layers=(), missing=(missing,)),
        confinement=Confinement(),
        minimum=Level.L0,
    )

    assert here.refusal(None) is None
    assert here.refusal("L1") is None
    assert here.refusal("L2") == (
        "it may run at isolation level L2 or higher only, and this server reached L1. Missing: "
        "L2: bubblewrap is not installed (install bubblewrap)"
    )
