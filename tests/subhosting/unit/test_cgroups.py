"""Control groups, on folders that look like the kernel's."""

import os
from pathlib import Path

from bot.subhosting.sandbox.cgroups import Cgroups, Unusable, found
from bot.subhosting.sandbox.view import ProcessLimits

LIMITS = ProcessLimits(memory_bytes=1000, processes=7, cpus=1.5)


def version_2(tmp_path: Path, controllers: str = "cpuset cpu memory pids") -> tuple[Path, Path]:
    """Make a unified hierarchy, mounted at its root, in which we have the group /ours."""
    own = tmp_path / "mount" / "ours"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text(controllers)
    (own / "cgroup.subtree_control").write_text(controllers)
    membership = tmp_path / "self"
    membership.write_text("0::/ours\n")
    return tmp_path / "mount", membership


def test_version_2_has_one_folder_with_every_limit(tmp_path: Path) -> None:
    mount, membership = version_2(tmp_path)

    groups = found("data", mount, membership)
    assert isinstance(groups, Cgroups)
    folder = mount / "ours" / "data" / "one"
    folder.mkdir()
    for name in ("memory.max", "pids.max", "cpu.max"):
        (folder / name).write_text("max")
    groups.create("one", LIMITS)

    written = [(folder / name).read_text() for name in ("memory.max", "pids.max", "cpu.max")]
    assert (groups.version, written) == (2, ["1000", "7", "150000 100000"])


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    for controller in ("memory", "pids", "cpu"):
        (tmp_path / controller).mkdir()
    membership = tmp_path / "self"
    membership.write_text("4:memory:/\n3:pids:/\n1:cpu,cpuacct:/\n0::/\n")

    groups = found("data", tmp_path, membership)
    assert isinstance(groups, Cgroups)
    group = groups.create("one", LIMITS)

    assert groups.version == 1
    assert group.folders == tuple(
        tmp_path / controller / "data" / "one" for controller in ("memory", "pids", "cpu")
    )
    assert (tmp_path / "cpu/data/one/cpu.cfs_quota_us").read_text() == "150000"


def test_a_child_is_moved_in_by_its_pid(tmp_path: Path) -> None:
    mount, membership = version_2(tmp_path)
    groups = found("data", mount, membership)
    assert isinstance(groups, Cgroups)
    group = groups.create("one", ProcessLimits())
    (group.folders[0] / "cgroup.procs").touch()

    entrance = group.open()
    entrance.enter(os.getpid())
    entrance.close()

    assert (group.folders[0] / "cgroup.procs").read_text() == str(os.getpid())


def test_a_group_that_is_still_in_use_is_removed_later(tmp_path: Path) -> None:
    mount, membership = version_2(tmp_path)
    groups = found("data", mount, membership)
    assert isinstance(groups, Cgroups)
    group = groups.create("one", ProcessLimits())
    in_use = group.folders[0] / "cgroup.procs"
    in_use.touch()

    groups.drop(group)
    kept = group.folders[0].exists()
    in_use.unlink()
    groups.tidy()

    assert kept
    assert not group.folders[0].exists()


def test_what_an_earlier_host_left_is_cleared(tmp_path: Path) -> None:
    mount, membership = version_2(tmp_path)
    left = mount / "ours" / "data" / "old"
    left.mkdir(parents=True)

    groups = found("data", mount, membership)
    assert isinstance(groups, Cgroups)
    groups.clear()

    assert not left.exists()


def test_without_the_memory_controller_there_are_no_groups(tmp_path: Path) -> None:
    mount, membership = version_2(tmp_path, controllers="hugetlb")

    assert isinstance(found("data", mount, membership), Unusable)
