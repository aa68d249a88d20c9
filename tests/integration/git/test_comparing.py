"""A git that waits for commits to compare says what one that is started for them says."""

import gc
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bot.adapters.git import comparing
from bot.adapters.git.address import clone_base
from bot.adapters.git.mirror import Mirror
from bot.adapters.git.mirrors import Mirrors
from bot.adapters.git.source import GitSource
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.manifest import SymlinkAsset
from bot.ports.source import KnownManifest
from tests.fakes.source import Executable, Files, Submodule
from tests.integration.git.conftest import Diary
from tests.integration.git.origin import Origin

FILES: Files = {
    "a": b"one",
    "done\n": b"one",
    "done\nx": b"one",
    ":100644 a": b"one",
    "d/e/f": b"one",
    "d/done\n": b"one",
    "link": SymlinkAsset("a"),
    "module": Submodule(),
}
TREES: list[Files] = [
    FILES,
    {},
    {**FILES, "a": b"two", "done\n": b"two", "d/done\n": b"two"},
    {**FILES, "done\n": Executable(b"one"), "link": b"a", "module": b""},
    {path: file for path, file in FILES.items() if not path.startswith("d/")}
    | {"d": b"a file now"},
    {f"{n % 7}/{n}": b"%d" % n for n in range(3000)},
]


@pytest.fixture
def mirrors(tmp_path: Path, origin: Origin, diary: Diary) -> Iterator[Mirrors]:
    assert diary.pages() == []
    found = Mirrors(tmp_path / "mirrors", clone_base(origin.base_url), lambda _: None)
    yield found
    found.close()


def fetched(mirrors: Mirrors, origin: Origin, commit: CommitSha) -> Mirror:
    mirror = mirrors.of(origin.repository)
    mirror.fetch(commit)
    return mirror


def changed(mirrors: Mirrors, origin: Origin) -> tuple[Mirror, CommitSha, CommitSha]:
    """Return a mirror, and two commits that are there."""
    old, new = origin.commit("main", FILES), origin.commit("main", {"a": b"new"})
    fetched(mirrors, origin, old)
    return fetched(mirrors, origin, new), old, new


def test_it_says_what_a_git_for_each_question_says(mirrors: Mirrors, origin: Origin) -> None:
    commits = [origin.commit(f"b{number}", files) for number, files in enumerate(TREES)]
    mirror = [fetched(mirrors, origin, commit) for commit in commits][-1]

    for old in commits:
        for new in commits:
            found = list(mirrors.comparing.differences(mirror, old, new))
            wanted = list(mirror.records("diff_tree", "-r", "-z", "--no-renames", old, new, "--"))
            assert found == wanted


def test_a_commit_that_is_not_here_cannot_be_compared_until_it_is(
    mirrors: Mirrors, origin: Origin
) -> None:
    old = origin.commit("main", FILES)
    mirror = fetched(mirrors, origin, old)
    new = origin.commit("main", {"a": b"new"})

    for pair in ((old, new), (new, old)):
        with pytest.raises(SourceUnavailable):
            list(mirrors.comparing.differences(mirror, *pair))
    fetched(mirrors, origin, new)

    assert len(list(mirrors.comparing.differences(mirror, old, new))) == 2 * len(FILES)


def test_what_comes_later_is_seen_by_the_one_that_waits(
    mirrors: Mirrors, origin: Origin, diary: Diary
) -> None:
    commits = [origin.commit("main", {"a": b"%d" % n}) for n in range(5)]
    mirror = fetched(mirrors, origin, commits[0])

    for old, new in pairwise(commits):
        fetched(mirrors, origin, new)
        assert len(list(mirrors.comparing.differences(mirror, old, new))) == 2

    assert len(diary.still_running()) == 1
    assert diary.count("diff-tree") == 1


@pytest.mark.parametrize("old", [CommitSha("1" * 40), CommitSha("1" * 64)])
def test_nothing_is_ever_compared_with_nothing(
    mirrors: Mirrors, origin: Origin, old: CommitSha
) -> None:
    new = origin.commit("main", FILES)
    mirror = fetched(mirrors, origin, new)

    with pytest.raises(SourceUnavailable):
        list(mirrors.comparing.differences(mirror, old, new))


def test_one_that_was_killed_is_replaced(origin: Origin, diary: Diary, tmp_path: Path) -> None:
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    first = origin.commit("main", FILES)
    source.fetch(origin.repository, first)
    known = KnownManifest(commit=first, manifest=source.manifest(origin.repository, first))

    for content in (b"2", b"3"):
        commit = origin.commit("main", {**FILES, "a": content})
        source.fetch(origin.repository, commit)
        whole = source.manifest(origin.repository, commit)
        assert source.manifest(origin.repository, commit, known) == whole
        (process,) = diary.still_running()
        os.kill(process, signal.SIGKILL)
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        assert source.changed(origin.repository, first, commit) == frozenset({"a"})
    source.close()


def test_an_answer_that_nobody_wants_to_the_end_ends_the_process(
    mirrors: Mirrors, origin: Origin, diary: Diary
) -> None:
    mirror, old, new = changed(mirrors, origin)
    answer = mirrors.comparing.differences(mirror, old, new)

    next(answer)
    assert len(diary.still_running()) == 1
    answer.close()

    assert diary.still_running() == []


def test_only_some_wait_and_those_that_were_used_last(
    mirrors: Mirrors, origin: Origin, tmp_path: Path, diary: Diary
) -> None:
    for number in range(comparing.MOST_WAITING + 3):
        other = Origin(tmp_path / "server", f"acme/r{number}")
        commit = other.commit("main", FILES)
        repository = Repository(
            id=RepositoryId(100 + number),
            name=RepoName(f"acme/r{number}"),
            default_branch=origin.repository.default_branch,
        )
        mirror = mirrors.of(repository)
        mirror.fetch(commit)
        assert list(mirrors.comparing.differences(mirror, commit, commit)) == []

    assert len(diary.still_running()) == comparing.MOST_WAITING
    mirrors.close()
    assert diary.still_running() == []


def test_two_at_once_have_one_each_and_one_of_them_stays(
    mirrors: Mirrors, origin: Origin, diary: Diary
) -> None:
    mirror, old, new = changed(mirrors, origin)
    answers = [mirrors.comparing.differences(mirror, old, new) for _ in range(2)]
    starts = [next(each) for each in answers]

    assert len(diary.still_running()) == 2
    whole = [[start, *each] for start, each in zip(starts, answers, strict=True)]

    assert whole[0] == whole[1]
    assert len(diary.still_running()) == 1


def test_none_is_asked_for_ever(
    mirrors: Mirrors, origin: Origin, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_QUESTIONS", 3)
    commit = origin.commit("main", FILES)
    mirror = fetched(mirrors, origin, commit)

    for _ in range(7):
        list(mirrors.comparing.differences(mirror, commit, commit))

    assert diary.count("diff-tree") == 3
    assert len(diary.still_running()) == 1


def test_upkeep_leaves_none_to_hold_what_it_deletes(
    tmp_path: Path, origin: Origin, diary: Diary
) -> None:
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    first = origin.commit("main", FILES)
    source.fetch(origin.repository, first)
    assert source.changed(origin.repository, first, first) == frozenset()
    assert len(diary.still_running()) == 1

    source.tend(quota_bytes=0, spared_since_s=4e9)

    assert diary.still_running() == []


def test_a_source_that_is_forgotten_leaves_none(
    tmp_path: Path, origin: Origin, diary: Diary
) -> None:
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    commit = origin.commit("main", FILES)
    source.fetch(origin.repository, commit)
    source.changed(origin.repository, commit, commit)
    assert len(diary.still_running()) == 1

    del source
    gc.collect()

    assert diary.still_running() == []
