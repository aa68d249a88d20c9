"""What sources with branches and commits promise."""

import pytest

from bot.core.model.errors import CommitGone, SourceUnavailable, TreeRefused
from bot.core.model.ids import Branch, CommitSha
from bot.core.model.manifest import FileAsset, SymlinkAsset
from bot.ports.source import KnownManifest
from tests.contract.source.places import REPOSITORY, Place
from tests.fakes.source import Executable, Files, Submodule, contents_of

MAIN = Branch("main")


def test_the_head_is_what_was_pushed_last(place: Place) -> None:
    first = place.commit("main", {"a": b"1"})
    second = place.commit("main", {"a": b"2"})

    assert place.source.head(REPOSITORY, MAIN) == second

    place.force("main", first)

    assert place.source.head(REPOSITORY, MAIN) == first


def test_a_branch_that_is_gone_has_no_head(place: Place) -> None:
    place.commit("main", {"a": b"1"})
    place.commit("feature/x", {"a": b"2"})
    place.delete("feature/x")

    assert place.source.head(REPOSITORY, Branch("feature/x")) is None


@pytest.mark.parametrize(
    "branch",
    ["pr-7", "a;b", "--upload-pack=touch", "b" * 240, "🚀-emoji", "heads/main", "main$(x)"],
)
def test_an_odd_branch_is_found_by_its_exact_name(place: Place, branch: str) -> None:
    place.commit("main", {"a": b"1"})
    commit = place.commit(branch, {"a": b"2"})

    assert place.source.head(REPOSITORY, Branch(branch)) == commit


@pytest.mark.parametrize(
    "branch",
    ["--upload-pack=touch x", "../../x", "*", "mai?", "[m]ain", "ain", "", "main\0x", "x" * 5000,
     "main\n", "half \ud800", "refs/heads/main", "@{-1}"],
    ids=repr,
)  # fmt: skip
def test_a_name_that_is_no_branch_finds_none(place: Place, branch: str) -> None:
    place.commit("main", {"a": b"1"})

    assert place.source.head(REPOSITORY, Branch(branch)) is None


def test_fetching_again_is_harmless(place: Place) -> None:
    commit = place.commit("main", {"a": b"1"})

    place.source.fetch(REPOSITORY, commit)
    place.source.fetch(REPOSITORY, commit)

    assert set(place.source.manifest(REPOSITORY, commit).assets) == {"a"}


def test_a_commit_that_was_forced_away_and_pruned_is_gone(place: Place) -> None:
    first = place.commit("main", {"a": b"1"})
    lost = place.commit("main", {"a": b"2"})
    place.force("main", first)
    place.forget(lost)

    with pytest.raises(CommitGone, match=lost):
        place.source.fetch(REPOSITORY, lost)


def test_an_invented_commit_is_gone_although_others_were_fetched(place: Place) -> None:
    commit = place.commit("main", {"a": b"1"})
    place.source.fetch(REPOSITORY, commit)

    with pytest.raises(CommitGone):
        place.source.fetch(REPOSITORY, CommitSha("1" * len(commit)))


def test_what_was_fetched_stays_when_the_server_loses_it(place: Place) -> None:
    first = place.commit("main", {"a": b"1"})
    place.source.fetch(REPOSITORY, first)
    place.forget(first)

    place.source.fetch(REPOSITORY, first)

    assert set(place.source.manifest(REPOSITORY, first).assets) == {"a"}


def test_a_commit_that_was_not_fetched_has_no_manifest(place: Place) -> None:
    first = place.commit("main", {"a": b"1"})
    second = place.commit("main", {"a": b"2"})
    place.source.fetch(REPOSITORY, first)

    with pytest.raises(SourceUnavailable):
        place.source.manifest(REPOSITORY, second)


BEFORE: Files = {
    "same": b"same",
    "changed": b"1",
    "gone": b"x",
    "mode": b"run",
    "file": b"becomes a folder",
    "folder/a": b"1",
    "link": SymlinkAsset("same"),
    "kind": b"same",
}

AFTER: list[Files] = [
    BEFORE,
    {**BEFORE, "changed": b"2"},
    {path: file for path, file in BEFORE.items() if path != "gone"},
    {**BEFORE, "mode": Executable(b"run")},
    {**{p: f for p, f in BEFORE.items() if p != "file"}, "file/inside": b"1"},
    {**{p: f for p, f in BEFORE.items() if p != "folder/a"}, "folder": b"now a file"},
    {**BEFORE, "link": SymlinkAsset("changed")},
    {**BEFORE, "kind": SymlinkAsset("same")},
    {**BEFORE, "link": b"no link any more"},
    {**BEFORE, "new/deep/path": b"n", "ü\n": b"odd"},
    {"only": b"this"},
]


@pytest.mark.parametrize("after", AFTER)
def test_a_patched_manifest_is_the_same_as_a_full_one(place: Place, after: Files) -> None:
    source = place.source
    first = place.commit("main", BEFORE)
    source.fetch(REPOSITORY, first)
    known = KnownManifest(commit=first, manifest=source.manifest(REPOSITORY, first))
    second = place.commit("main", after)
    source.fetch(REPOSITORY, second)

    patched = source.manifest(REPOSITORY, second, known)

    assert patched == source.manifest(REPOSITORY, second)
    contents = dict(source.blobs(REPOSITORY, patched.blobs()))
    assert contents.keys() == patched.blobs()


def test_a_link_leads_out_when_the_one_that_it_went_through_is_gone(place: Place) -> None:
    source = place.source
    before: Files = {
        "a": b"1",
        "way/deep/b": b"2",
        "short": SymlinkAsset("way/deep"),
        "link": SymlinkAsset("short/../../a"),
    }
    first = place.commit("main", before)
    source.fetch(REPOSITORY, first)
    known = KnownManifest(commit=first, manifest=source.manifest(REPOSITORY, first))
    second = place.commit("main", {p: file for p, file in before.items() if p != "short"})
    source.fetch(REPOSITORY, second)

    with pytest.raises(TreeRefused, match="link"):
        source.manifest(REPOSITORY, second, known)


def contents(place: Place, commit: CommitSha) -> dict[str, bytes]:
    """Return what a fetched commit holds."""
    manifest = place.source.manifest(REPOSITORY, commit)
    found = contents_of(place.source, REPOSITORY, manifest.blobs())
    return {p: found[a.sha1] for p, a in manifest.assets.items() if isinstance(a, FileAsset)}


@pytest.mark.parametrize("fetched_before", [False, True])
def test_a_commit_that_lives_only_under_a_pull_request_is_fetched(
    place: Place, *, fetched_before: bool
) -> None:
    main = place.commit("main", {"a": b"1"})
    theirs = place.commit("theirs", {"a": b"2", "b": b"b"}, parent=main)
    place.hide("theirs", 7)
    if fetched_before:
        place.source.fetch(REPOSITORY, main)

    place.source.fetch(REPOSITORY, theirs)

    assert contents(place, theirs) == {"a": b"2", "b": b"b"}
    assert place.source.head(REPOSITORY, Branch("theirs")) is None


def test_a_pull_request_that_was_forced_is_followed_and_its_old_commit_may_be_gone(
    place: Place,
) -> None:
    main = place.commit("main", {"a": b"1"})
    old = place.commit("theirs", {"a": b"old"}, parent=main)
    place.hide("theirs", 7)
    new = place.commit("theirs", {"a": b"new"}, parent=main)
    place.hide("theirs", 7)
    place.source.fetch(REPOSITORY, main)
    place.forget(old)

    place.source.fetch(REPOSITORY, new)

    assert contents(place, new) == {"a": b"new"}
    with pytest.raises(CommitGone, match=old):
        place.source.fetch(REPOSITORY, old)


def test_a_branch_that_was_forced_to_another_history_is_followed(place: Place) -> None:
    place.source.fetch(REPOSITORY, place.commit("main", {"a": b"1"}))
    place.delete("main")
    unrelated = place.commit("main", {"b": b"of another history"})

    place.source.fetch(REPOSITORY, unrelated)

    assert contents(place, unrelated) == {"b": b"of another history"}


def test_a_manifest_known_of_a_lost_commit_is_no_use_and_no_harm(place: Place) -> None:
    commit = place.commit("main", {"a": b"1"})
    source = place.source
    source.fetch(REPOSITORY, commit)
    manifest = source.manifest(REPOSITORY, commit)
    stale = KnownManifest(commit=CommitSha("1" * len(commit)), manifest=manifest)

    assert source.manifest(REPOSITORY, commit, stale) == manifest


def test_a_submodule_is_left_out_with_a_reason(place: Place) -> None:
    commit = place.commit("main", {"a": b"1", "vendor/lib": Submodule()})
    place.source.fetch(REPOSITORY, commit)

    manifest = place.source.manifest(REPOSITORY, commit)

    assert set(manifest.assets) == {"a"}
    assert [(item.path, "submodule" in item.reason) for item in manifest.left_out] == [
        ("vendor/lib", True)
    ]
