"""What travels when, and what a mirror survives."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.git.source import GitSource
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import RepoName
from bot.core.model.manifest import SymlinkAsset
from tests.fakes.source import Files, contents_of
from tests.integration.git.conftest import Diary
from tests.integration.git.origin import Origin, git

FILES: Files = {f"d{n % 3}/f{n}": f"content {n}".encode() for n in range(12)}


def test_the_first_fetch_brings_no_contents(origin: Origin, source: GitSource) -> None:
    commit = origin.commit("main", FILES)
    source.fetch(origin.repository, commit)
    origin.lose_everything()

    manifest = source.manifest(origin.repository, commit)

    assert manifest.files_total() == 12
    with pytest.raises(SourceUnavailable):
        list(source.blobs(origin.repository, manifest.blobs()))


def test_a_later_fetch_brings_what_changed(origin: Origin, source: GitSource) -> None:
    first = origin.commit("main", FILES)
    source.fetch(origin.repository, first)
    before = source.manifest(origin.repository, first)
    second = origin.commit("main", {**FILES, "d0/f0": b"new", "d1/f1": b"newer"})
    source.fetch(origin.repository, second)
    origin.lose_everything()

    changed = source.manifest(origin.repository, second).blobs() - before.blobs()

    held = contents_of(source, origin.repository, changed)
    assert sorted(held.values()) == [b"new", b"newer"]


def test_a_commit_that_is_here_costs_no_network(origin: Origin, source: GitSource) -> None:
    first = origin.commit("main", FILES)
    second = origin.commit("main", {"a": b"1"})
    source.fetch(origin.repository, second)
    origin.lose_everything()

    source.fetch(origin.repository, second)
    source.fetch(origin.repository, first)  # its parent came with it


def test_missing_contents_come_in_one_fetch(
    diary: Diary, origin: Origin, source: GitSource
) -> None:
    links: Files = {f"link{n}": SymlinkAsset(f"d0/f{n}") for n in range(30)}
    commit = origin.commit("main", {**FILES, **links})
    source.fetch(origin.repository, commit)

    manifest = source.manifest(origin.repository, commit)
    contents = dict(source.blobs(origin.repository, manifest.blobs()))

    assert len(contents) == 12
    assert diary.count("fetch") == 3  # commits, link targets, contents


def test_first_fetches_at_the_same_moment_share_one_mirror(origin: Origin, tmp_path: Path) -> None:
    commits = [origin.commit(f"b{n}", {**FILES, "own": b"%d" % n}) for n in range(6)]
    sources = [
        GitSource(tmp_path / "mirrors", origin.base_url, lambda _repository: None) for _ in commits
    ]

    with ThreadPoolExecutor(len(commits)) as pool:
        for done in [
            pool.submit(source.fetch, origin.repository, commit)
            for source, commit in zip(sources, commits, strict=True)
        ]:
            done.result()

    for commit in commits:
        assert sources[0].manifest(origin.repository, commit).files_total() == 13
    assert len(list((tmp_path / "mirrors").glob("*.git"))) == 1


def test_leftovers_of_a_killed_worker_are_no_hindrance(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    first = origin.commit("main", FILES)
    half_made = tmp_path / "mirrors" / "x.new"
    half_made.mkdir()
    source.fetch(origin.repository, first)
    [mirror] = (tmp_path / "mirrors").glob("*.git")
    half_made.rename(mirror.with_suffix(".new"))
    second = origin.commit("main", {"a": b"2"})
    (mirror / "refs" / "heads" / "k" / f"{second[:12]}.lock").touch()

    source.fetch(origin.repository, second)

    assert set(source.manifest(origin.repository, second).assets) == {"a"}


def test_a_renamed_repository_keeps_its_mirror(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    source.fetch(origin.repository, origin.commit("main", FILES))
    origin.path = origin.path.rename(origin.path.with_name("shop.git"))
    renamed = replace(origin.repository, name=RepoName("acme/shop"))
    commit = origin.commit("main", {"a": b"1"})

    source.fetch(renamed, commit)

    assert set(source.manifest(renamed, commit).assets) == {"a"}
    assert len(list((tmp_path / "mirrors").glob("*.git"))) == 1


def test_a_path_with_spaces_and_quotes_is_only_a_path(tmp_path: Path) -> None:
    base = tmp_path / 'it\'s a "a\\b" 100%'
    origin = Origin(base)
    source = GitSource(tmp_path / "my mirrors", origin.base_url, lambda _repository: None)
    commit = origin.commit("main", FILES)

    source.fetch(origin.repository, commit)

    manifest = source.manifest(origin.repository, commit)
    assert len(dict(source.blobs(origin.repository, manifest.blobs()))) == 12


def test_a_repository_without_suffix_is_found(origin: Origin, source: GitSource) -> None:
    commit = origin.commit("main", FILES)
    origin.path = origin.path.rename(origin.path.with_suffix(""))

    assert source.head(origin.repository, origin.repository.default_branch) == commit


def test_a_repository_that_is_not_there_is_unavailable(origin: Origin, source: GitSource) -> None:
    commit = origin.commit("main", FILES)
    origin.lose_everything()

    with pytest.raises(SourceUnavailable, match="acme/site"):
        source.head(origin.repository, origin.repository.default_branch)
    with pytest.raises(SourceUnavailable, match="acme/site"):
        source.fetch(origin.repository, commit)


def test_contents_that_are_not_read_to_the_end_leave_no_child(
    diary: Diary, origin: Origin, source: GitSource
) -> None:
    commit = origin.commit("main", {"a": bytes(3_000_000), "b": b"x" * 3_000_000})
    source.fetch(origin.repository, commit)
    contents = source.blobs(origin.repository, source.manifest(origin.repository, commit).blobs())

    next(contents)
    del contents

    assert diary.still_running() == []


def test_git_itself_finds_nothing_wrong_with_a_mirror(
    origin: Origin, source: GitSource, tmp_path: Path
) -> None:
    for n in range(3):
        source.fetch(origin.repository, origin.commit("main", {**FILES, "d0/f0": b"%d" % n}))
    [mirror] = (tmp_path / "mirrors").glob("*.git")

    report = git("fsck", "--strict", "--no-progress", cwd=mirror)

    assert report == "notice: HEAD points to an unborn branch (none)"
