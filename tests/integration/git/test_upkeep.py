"""Mirrors stay small and few, and one that is damaged is made anew."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from bot.adapters.git.source import GitSource
from bot.adapters.git.upkeep import MANY_PACKS, MOST_REFS, Tended
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import CommitSha, RepoName, Repository, RepositoryId
from bot.kernel.contents import LARGE_BYTES
from bot.ports.source import KnownManifest
from tests.fakes.source import Files, contents_of
from tests.integration.git.origin import Origin, git

FILES: Files = {f"d{n % 3}/f{n}": f"content {n}\n".encode() * 20 for n in range(12)}
ANY_SIZE = 1 << 40
LATER_S = 4e9

# What a pack of one object ends in: the checksum of its content, and its own.
CHECKSUM_AND_TRAILER_BYTES = 4 + 20


def mirror_of(repository: Repository, tmp_path: Path) -> Path:
    [found] = (tmp_path / "mirrors").glob(f"{repository.id}-*.git")
    return found


def contents(source: GitSource, repository: Repository, commit: CommitSha) -> set[bytes]:
    source.fetch(repository, commit)
    manifest = source.manifest(repository, commit)
    return set(contents_of(source, repository, manifest.blobs()).values())


def test_many_packs_become_one_and_lose_nothing(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    commits = [origin.commit("main", {**FILES, "d0/f0": b"%d" % n}) for n in range(MANY_PACKS + 2)]
    for commit in commits:
        source.fetch(origin.repository, commit)
    mirror = mirror_of(origin.repository, tmp_path)

    done = source.tend(quota_bytes=ANY_SIZE, spared_since_s=LATER_S)

    assert done == Tended(repacked=(mirror.name,))
    assert len(list((mirror / "objects" / "pack").glob("*.pack"))) <= 2
    notice = git("fsck", "--strict", "--no-progress", cwd=mirror)
    assert notice == "notice: HEAD points to an unborn branch (none)"
    origin.lose_everything()
    assert source.manifest(origin.repository, commits[0]).files_total() == 12
    assert source.tend(quota_bytes=ANY_SIZE, spared_since_s=LATER_S) == Tended()


def test_a_push_after_the_upkeep_is_still_a_small_one(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    for n in range(MANY_PACKS + 1):
        source.fetch(origin.repository, origin.commit("main", {**FILES, "d0/f0": b"%d" % n}))
    source.tend(quota_bytes=ANY_SIZE, spared_since_s=LATER_S)
    commit = origin.commit("main", {**FILES, "d0/f0": b"after"})
    source.fetch(origin.repository, commit)
    origin.lose_everything()

    changed = source.manifest(origin.repository, commit).assets["d0/f0"]

    assert list(source.blobs(origin.repository, [changed.sha1])) == [(changed.sha1, b"after")]  # type: ignore[union-attr]
    assert len(list((mirror_of(origin.repository, tmp_path) / "objects/pack").glob("*.pack"))) < 4


def test_refs_of_long_ago_are_let_go(origin: Origin, source: GitSource, tmp_path: Path) -> None:
    commit = origin.commit("main", FILES)
    for n in range(MANY_PACKS):
        source.fetch(origin.repository, origin.commit("main", {"a": b"%d" % n}))
    kept = mirror_of(origin.repository, tmp_path) / "refs/heads/k"
    for n in range(MOST_REFS + 10):
        old = kept / f"{n:012x}"
        old.write_text(f"{commit}\n")
        os.utime(old, (n, n))

    source.tend(quota_bytes=ANY_SIZE, spared_since_s=LATER_S)

    assert len(list(kept.glob("*"))) <= MOST_REFS
    assert not (kept / f"{0:012x}").exists()


def repositories(origin: Origin, count: int) -> list[Repository]:
    """Return `count` names of the one repository, as if they were several."""
    made = []
    for number in range(1, count + 1):
        name = RepoName(f"acme/site{number}")
        (origin.path.parent / f"site{number}.git").symlink_to(origin.path)
        made.append(
            Repository(
                id=RepositoryId(number), name=name, default_branch=origin.repository.default_branch
            )
        )
    return made


def test_the_least_used_mirrors_go_when_all_are_too_large(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    commit = origin.commit("main", FILES)
    old, older, newest = repositories(origin, 3)
    for at, repository in enumerate([older, old, newest], start=1):
        source.fetch(repository, commit)
        os.utime(mirror_of(repository, tmp_path), (at, at))
    one = sum(f.stat().st_size for f in mirror_of(old, tmp_path).rglob("*") if f.is_file())

    done = source.tend(quota_bytes=2 * one, spared_since_s=LATER_S)

    assert [name.split("-")[0] for name in done.evicted] == [str(older.id)]
    assert contents(source, older, commit) == contents(source, newest, commit)


def test_a_mirror_that_was_just_used_is_spared(origin: Origin, source: GitSource) -> None:
    source.fetch(origin.repository, origin.commit("main", FILES))

    assert source.tend(quota_bytes=0, spared_since_s=1.0) == Tended()


def test_a_mirror_that_went_in_the_middle_of_a_deployment_is_made_again(
    origin: Origin, source: GitSource
) -> None:
    commit = origin.commit("main", FILES)
    source.fetch(origin.repository, commit)
    source.tend(quota_bytes=0, spared_since_s=LATER_S)

    assert source.manifest(origin.repository, commit).files_total() == 12


@pytest.mark.parametrize("suffix", [".gone", ".damaged", ".new"])
def test_what_a_killed_worker_left_of_a_mirror_is_swept(
    origin: Origin, source: GitSource, tmp_path: Path, suffix: str
) -> None:
    commit = origin.commit("main", FILES)
    source.fetch(origin.repository, commit)
    mirror = mirror_of(origin.repository, tmp_path)
    left_over = mirror.with_suffix(suffix)
    shutil.copytree(mirror, left_over)

    done = source.tend(quota_bytes=ANY_SIZE, spared_since_s=LATER_S)

    assert done == Tended(swept=(left_over.name,))
    assert not left_over.exists()
    assert source.manifest(origin.repository, commit).files_total() == 12


def test_what_somebody_is_at_work_on_is_not_swept(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    source.fetch(origin.repository, origin.commit("main", FILES))
    mirror = mirror_of(origin.repository, tmp_path)
    fresh = mirror.with_suffix(".new")
    fresh.mkdir()

    with mirror.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = source.tend(quota_bytes=ANY_SIZE, spared_since_s=LATER_S)

    assert done == Tended()
    assert fresh.is_dir()


def damage(mirror: Path) -> None:
    """Flip bytes in the middle of the newest pack."""
    pack = max((mirror / "objects/pack").glob("*.pack"), key=lambda file: file.stat().st_mtime)
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    middle = len(content) // 2
    content[12 : middle + 20] = bytes(len(content[12 : middle + 20]))
    pack.write_bytes(content)


def test_a_damaged_mirror_is_made_anew(origin: Origin, source: GitSource, tmp_path: Path) -> None:
    commit = origin.commit("main", FILES)
    source.fetch(origin.repository, commit)
    damage(mirror_of(origin.repository, tmp_path))

    assert source.manifest(origin.repository, commit).files_total() == 12
    assert len(contents(source, origin.repository, commit)) == 12


def test_a_push_into_a_damaged_mirror_arrives(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    first = origin.commit("main", FILES)
    source.fetch(origin.repository, first)
    known = KnownManifest(commit=first, manifest=source.manifest(origin.repository, first))
    damage(mirror_of(origin.repository, tmp_path))
    second = origin.commit("main", {**FILES, "d0/f0": b"new"})

    source.fetch(origin.repository, second)

    manifest = source.manifest(origin.repository, second, known)
    assert b"new" in {each for _, each in source.blobs(origin.repository, manifest.blobs())}


@pytest.mark.parametrize("from_end", [2 * LARGE_BYTES, CHECKSUM_AND_TRAILER_BYTES])
def test_a_large_content_that_is_damaged_is_told_and_then_fetched_again(
    origin: Origin, source: GitSource, tmp_path: Path, from_end: int
) -> None:
    large = os.urandom(3 * LARGE_BYTES)
    commit = origin.commit("main", {"large": large})
    assert contents(source, origin.repository, commit) == {large}
    wanted = source.manifest(origin.repository, commit).blobs()
    packs = (mirror_of(origin.repository, tmp_path) / "objects" / "pack").glob("*.pack")
    pack = max(packs, key=lambda file: file.stat().st_size)
    pack.chmod(0o600)
    with pack.open("r+b") as file:
        file.seek(-from_end, os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))

    with pytest.raises(SourceUnavailable, match="git broke off"):
        contents_of(source, origin.repository, wanted)  # git begins to print it

    assert contents(source, origin.repository, commit) == {large}


def test_a_content_is_whole_only_when_git_has_ended_its_line(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f"""\
#!/bin/sh
case "$*" in
  *"cat-file --batch --buffer") {shutil.which("git")} "$@" | head --bytes=-1;;
  *) exec {shutil.which("git")} "$@";;
esac
""")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=":")
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    commit = origin.commit("main", {"a": b"hello"})
    source.fetch(origin.repository, commit)

    with pytest.raises(SourceUnavailable, match="git broke off"):
        contents_of(source, origin.repository, source.manifest(origin.repository, commit).blobs())


def test_damaged_contents_are_fetched_again(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    source.fetch(origin.repository, origin.commit("main", FILES))
    commit = origin.commit("main", {**FILES, "d0/f0": os.urandom(5000)})
    source.fetch(origin.repository, commit)
    manifest = source.manifest(origin.repository, commit)
    damage(mirror_of(origin.repository, tmp_path))

    assert len(dict(source.blobs(origin.repository, manifest.blobs()))) == 12
