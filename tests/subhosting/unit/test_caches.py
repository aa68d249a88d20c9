"""The packages that builds leave to later builds of the same app."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.subhosting.build.caches import Caches

PROGRAM = "npm/registry.example.com/esbuild/1.0.0/bin/esbuild"
VERSIONS = "npm/registry.example.com/esbuild/registry.json"


@pytest.fixture
def caches(tmp_path: Path) -> Caches:
    return opened(tmp_path)


def opened(place: Path, *, most_bytes: int = 10_000, most_bytes_of_one: int = 5_000) -> Caches:
    return Caches(place / "caches", most_bytes=most_bytes, most_bytes_of_one=most_bytes_of_one)


def filled(folder: Path, size: int = 10, name: str = PROGRAM) -> Path:
    """Make a Deno cache with one package."""
    program = folder / name
    program.parent.mkdir(parents=True)
    program.write_bytes(b"x" * size)
    program.chmod(0o755)
    return folder


def test_what_was_downloaded_comes_back_and_what_was_resolved_does_not(
    caches: Caches, tmp_path: Path
) -> None:
    old, new = filled(tmp_path / "old"), tmp_path / "new"
    (old / VERSIONS).write_text("{}")

    kept = caches.keep("app", old)
    restored = caches.restore("app", new)

    assert (kept, restored) == (True, True)
    assert os.access(new / PROGRAM, os.X_OK)
    assert not (new / VERSIONS).exists()
    assert (new / PROGRAM).stat().st_nlink == 1


def test_a_build_that_patches_its_packages_changes_no_other(
    caches: Caches, tmp_path: Path
) -> None:
    caches.keep("app", filled(tmp_path / "old"))
    caches.restore("app", tmp_path / "patched")

    (tmp_path / "patched" / PROGRAM).write_bytes(b"patched")
    caches.restore("app", tmp_path / "next")

    assert (tmp_path / "next" / PROGRAM).read_bytes() == b"x" * 10
    assert (tmp_path / "old" / PROGRAM).read_bytes() == b"x" * 10


def test_no_app_sees_the_packages_of_another(caches: Caches, tmp_path: Path) -> None:
    caches.keep("app", filled(tmp_path / "old"))

    assert not caches.restore("other", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_links_and_pipes_in_a_cache_are_left_out(caches: Caches, tmp_path: Path) -> None:
    old = filled(tmp_path / "old")
    (old / "npm" / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(old / "npm" / "pipe")

    caches.keep("app", old)
    caches.restore("app", tmp_path / "new")

    assert [path.name for path in (tmp_path / "new" / "npm").iterdir()] == ["registry.example.com"]


def test_the_newest_packages_take_the_place_of_the_older(caches: Caches, tmp_path: Path) -> None:
    other = PROGRAM.replace("1.0.0", "2.0.0")
    caches.keep("app", filled(tmp_path / "one"))
    again = caches.keep("app", filled(tmp_path / "same"))
    caches.keep("app", filled(tmp_path / "two", 20, other))

    caches.restore("app", tmp_path / "new")

    assert not again
    assert (tmp_path / "new" / other).exists()
    assert [path.name for path in (tmp_path / "caches" / "app").iterdir()] == ["2"]


def test_the_apps_that_were_built_last_keep_their_packages(tmp_path: Path) -> None:
    caches = opened(tmp_path, most_bytes=2_500)
    for number, app in enumerate(("first", "second")):
        caches.keep(app, filled(tmp_path / app, 1_000))
        os.utime(tmp_path / "caches" / app, (number, number))

    used = caches.restore("first", tmp_path / "used")
    caches.keep("third", filled(tmp_path / "third", 1_000))

    assert used
    assert sorted(path.name for path in (tmp_path / "caches").iterdir()) == ["first", "third"]


def test_packages_that_outgrew_the_limit_are_begun_anew(caches: Caches, tmp_path: Path) -> None:
    caches.keep("app", filled(tmp_path / "old"))

    caches.keep("app", filled(tmp_path / "large", 6_000))

    assert not caches.restore("app", tmp_path / "new")


def test_what_a_killed_server_left_unfinished_goes(caches: Caches, tmp_path: Path) -> None:
    caches.keep("app", filled(tmp_path / "old"))
    filled(tmp_path / "caches" / ".app.1234")

    reopened = opened(tmp_path)

    assert [path.name for path in (tmp_path / "caches").iterdir()] == ["app"]
    assert reopened.restore("app", tmp_path / "new")


def test_apps_that_are_gone_leave_nothing(caches: Caches, tmp_path: Path) -> None:
    caches.keep("gone", filled(tmp_path / "one"))
    caches.keep("here", filled(tmp_path / "two"))

    caches.forget_others({"here"})

    assert [path.name for path in (tmp_path / "caches").iterdir()] == ["here"]


def test_builds_beside_each_other_get_whole_packages(caches: Caches, tmp_path: Path) -> None:
    names = [PROGRAM.replace("esbuild", f"package-{number}") for number in range(30)]
    sizes = {}
    for generation in range(6):
        for name in names:
            filled(tmp_path / f"old-{generation}", 10 + generation, name)
        sizes[10 + generation] = True

    def keep(generation: int) -> None:
        caches.keep("app", tmp_path / f"old-{generation}")

    def restore(number: int) -> set[int]:
        caches.restore("app", tmp_path / f"new-{number}")
        return {(tmp_path / f"new-{number}" / name).stat().st_size for name in names}

    keep(0)
    with ThreadPoolExecutor(8) as pool:
        keeping = [pool.submit(keep, generation) for generation in range(1, 6)]
        seen = list(pool.map(restore, range(20)))
        for each in keeping:
            each.result()

    # Of one generation each, with nothing missing.
    assert all(len(each) == 1 and each <= set(sizes) for each in seen)
    assert len(list((tmp_path / "caches" / "app").iterdir())) == 1
