"""What every source says of a commit without listing it."""

import pytest

from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import CommitSha
from bot.core.model.manifest import SymlinkAsset
from bot.ports.source import MAX_LOOK_BYTES, Look
from tests.contract.source.places import REPOSITORY, Place
from tests.fakes.source import Executable, Files, Submodule

FILES: Files = {
    ".github/previewbot.yml": b"root: web\n",
    "web/main.ts": b"1",
    "web/deno.json": b"{}",
    "run": Executable(b"#!"),
    "README.md": b"hello",
}


def fetched(place: Place, files: Files, message: str = "Change") -> CommitSha:
    commit = place.commit("main", files, message=message)
    place.source.fetch(REPOSITORY, commit)
    return commit


def test_files_that_are_asked_for_are_read(any_place: Place) -> None:
    commit = fetched(any_place, FILES)

    found = any_place.source.look(
        REPOSITORY,
        commit,
        files=[".github/previewbot.yml", "web/deno.json", "web/deno.jsonc", "run", "no/such"],
    )

    assert found.files == {
        ".github/previewbot.yml": b"root: web\n",
        "web/deno.json": b"{}",
        "run": b"#!",
    }


def test_a_folder_and_a_link_are_no_files(any_place: Place) -> None:
    commit = fetched(any_place, {"web/main.ts": b"1", "link": SymlinkAsset("web/main.ts")})

    assert any_place.source.look(REPOSITORY, commit, files=["web", "link"]).files == {}


def test_a_submodule_is_neither_file_nor_folder(place: Place) -> None:
    commit = fetched(place, {"vendor": Submodule(), "a": b"1"})

    found = place.source.look(REPOSITORY, commit, files=["vendor"], folders=["vendor"])

    assert found.files == {}
    assert found.folders == {}


def test_odd_paths_are_only_names(place: Place) -> None:
    names = ["a*", ":(glob)*", "-r", "new\nline", "ünï"]
    commit = fetched(place, {**dict.fromkeys(names, b"odd"), "ab": b"other"})

    found = place.source.look(REPOSITORY, commit, files=[*names, "a?", ":/"])

    assert found.files == dict.fromkeys(names, b"odd")


def test_nothing_is_asked_for_and_nothing_is_read(any_place: Place) -> None:
    commit = fetched(any_place, FILES)

    assert any_place.source.look(REPOSITORY, commit).files == {}


def test_a_file_that_is_too_large_is_refused_by_name(any_place: Place) -> None:
    commit = fetched(any_place, {"a": b"1", "huge.yml": b"x" * (MAX_LOOK_BYTES + 1)})

    with pytest.raises(TreeRefused, match=r"huge\.yml.* 1,048,577 bytes"):
        any_place.source.look(REPOSITORY, commit, files=["a", "huge.yml"])


def test_the_message_is_the_commits(place: Place) -> None:
    commit = fetched(place, FILES, "Fix a thing [skip ci]\n\nBecause: ключ.")

    assert place.source.look(REPOSITORY, commit).message.rstrip("\n") == (
        "Fix a thing [skip ci]\n\nBecause: ключ."
    )


def test_a_folder_is_the_same_as_long_as_what_it_holds_is(place: Place) -> None:
    before = fetched(place, FILES)
    same = fetched(place, {**FILES, "README.md": b"changed"})
    other = fetched(place, {**FILES, "web/main.ts": b"2"})

    def ids(commit: CommitSha) -> Look:
        return place.source.look(REPOSITORY, commit, folders=["", "web", "web/main.ts", "none"])

    assert ids(before).folders.keys() == {"", "web"}
    assert ids(before).folders["web"] == ids(same).folders["web"]
    assert ids(before).folders[""] != ids(same).folders[""]
    assert ids(before).folders["web"] != ids(other).folders["web"]


def test_what_was_not_fetched_cannot_be_looked_at(place: Place) -> None:
    fetched(place, FILES)

    with pytest.raises(SourceUnavailable):
        place.source.look(REPOSITORY, CommitSha("1" * 40), files=["README.md"])


def test_the_paths_that_differ_are_told(place: Place) -> None:
    before = fetched(place, {"same": b"1", "web/a": b"1", "gone": b"1", "mode": b"x"})
    after = fetched(place, {"same": b"1", "web/a": b"2", "new\n": b"1", "mode": Executable(b"x")})

    assert place.source.changed(REPOSITORY, before, after) == frozenset(
        {"web/a", "gone", "new\n", "mode"}
    )
    assert place.source.changed(REPOSITORY, before, before) == frozenset()


def test_what_is_not_here_cannot_be_compared(any_place: Place) -> None:
    commit = fetched(any_place, {"a": b"1"})

    assert any_place.source.changed(REPOSITORY, CommitSha("1" * 40), commit) is None


def test_branches_have_the_commit_in_common_where_they_parted(place: Place) -> None:
    root = place.commit("main", {"a": b"1"})
    fork = place.commit("main", {"a": b"2"})
    main = place.commit("main", {"a": b"3"})
    side = place.commit("side", {"a": b"4"}, parent=fork)
    for commit in (root, main, side):
        place.source.fetch(REPOSITORY, commit)

    assert place.source.common_ancestor(REPOSITORY, main, side) == fork
    assert place.source.common_ancestor(REPOSITORY, root, side) == root
    assert place.source.common_ancestor(REPOSITORY, main, main) == main


def test_branches_without_a_common_history_have_nothing_in_common(place: Place) -> None:
    main, other = place.commit("main", {"a": b"1"}), place.commit("other", {"a": b"2"})
    for commit in (main, other):
        place.source.fetch(REPOSITORY, commit)

    assert place.source.common_ancestor(REPOSITORY, main, other) is None
