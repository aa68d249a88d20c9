"""What every source promises about files, with or without a history behind them."""

import pytest

from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha
from bot.core.model.manifest import FileAsset, Manifest, SymlinkAsset
from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES, pieces_of, whole
from bot.kernel.git_hash import blob_sha1
from tests.contract.source.places import REPOSITORY, Place
from tests.fakes.source import Executable, Files

HELLO = BlobSha("ce013625030ba8dba906f756967f9e9ca394464a")  # "hello\n", by git hash-object
EMPTY = BlobSha("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
LARGE = bytes(range(256)) * (30 * 4096)  # 30 MB


def manifest_of(place: Place, files: Files) -> Manifest:
    commit = place.commit("main", files)
    place.source.fetch(REPOSITORY, commit)
    return place.source.manifest(REPOSITORY, commit)


def test_files_are_named_by_the_sha1_of_their_content(any_place: Place) -> None:
    manifest = manifest_of(any_place, {"a.txt": b"hello\n", "d/e/run": Executable(b"")})

    assert manifest == Manifest(
        assets={"a.txt": FileAsset(HELLO), "d/e/run": FileAsset(EMPTY, executable=True)}
    )


def test_contents_come_back_by_their_hash_each_once(any_place: Place) -> None:
    files: Files = {"a": b"hello\n", "b": b"hello\n", "empty": b"", "large": LARGE}
    manifest = manifest_of(any_place, files)

    blobs = any_place.source.blobs(REPOSITORY, manifest.blobs())
    contents = [(sha1, whole(content)) for sha1, content in blobs]

    assert len(contents) == 3
    assert dict(contents) == {HELLO: b"hello\n", EMPTY: b"", BlobSha(blob_sha1(LARGE)): LARGE}


def test_only_small_contents_are_held_in_memory(any_place: Place) -> None:
    files: Files = {"a": b"x" * LARGE_BYTES, "b": b"y" * (LARGE_BYTES + 1)}
    manifest = manifest_of(any_place, files)

    blobs = any_place.source.blobs(REPOSITORY, manifest.blobs())
    held = {whole(content)[:1]: isinstance(content, bytes) for _, content in blobs}

    assert held == {b"x": True, b"y": False}


def test_a_large_content_can_be_read_twice(any_place: Place) -> None:
    manifest = manifest_of(any_place, {"large": LARGE})

    blobs = any_place.source.blobs(REPOSITORY, manifest.blobs())
    twice = [(whole(content), whole(content)) for _, content in blobs]

    assert twice == [(LARGE, LARGE)]


def test_a_large_content_that_nobody_reads_is_passed_over(any_place: Place) -> None:
    files: Files = {"a": b"hello\n", "b": LARGE, "c": LARGE + b"c", "d": b""}
    manifest = manifest_of(any_place, files)

    blobs = any_place.source.blobs(REPOSITORY, manifest.blobs())
    small = {sha1: content for sha1, content in blobs if isinstance(content, bytes)}

    assert small == {HELLO: b"hello\n", EMPTY: b""}


def test_a_large_content_can_be_left_in_its_middle(any_place: Place) -> None:
    manifest = manifest_of(any_place, {"a": b"hello\n", "b": LARGE, "c": LARGE + b"c"})

    blobs = any_place.source.blobs(REPOSITORY, manifest.blobs())
    begun = {sha1: next(pieces_of(content)) for sha1, content in blobs}

    assert len(begun) == 3
    assert set(begun.values()) == {b"hello\n", LARGE[:PIECE_BYTES]}


def test_a_large_content_is_closed_when_nobody_wants_more(any_place: Place) -> None:
    manifest = manifest_of(any_place, {"large": LARGE})
    contents = any_place.source.blobs(REPOSITORY, manifest.blobs())

    _, content = next(contents)
    del contents

    with pytest.raises(ValueError, match="closed"):
        whole(content)


def test_no_contents_are_asked_for_and_none_come(any_place: Place) -> None:
    manifest_of(any_place, {"a": b"hello\n"})

    assert list(any_place.source.blobs(REPOSITORY, [])) == []


def test_odd_names_are_only_names(any_place: Place) -> None:
    names = ["new\nline", "tab\tand space", "--upload-pack=touch x", "ünï/🚀", '"quoted"', "a;b|c"]

    manifest = manifest_of(any_place, dict.fromkeys(names, b"hello\n"))

    assert manifest.assets == dict.fromkeys(names, FileAsset(HELLO))


def test_a_symlink_inside_is_an_asset(any_place: Place) -> None:
    link = SymlinkAsset("../a.txt")

    manifest = manifest_of(any_place, {"a.txt": b"hello\n", "d/link": link})

    assert manifest.assets == {"a.txt": FileAsset(HELLO), "d/link": link}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../..", "d/../../../x"])
def test_a_symlink_that_leads_out_is_refused_by_name(any_place: Place, target: str) -> None:
    with pytest.raises(TreeRefused, match=r"'d/leak' .*symbolic link") as refusal:
        manifest_of(any_place, {"a": b"", "d/leak": SymlinkAsset(target)})

    assert refusal.value.path == "d/leak"


def test_a_symlink_through_a_symlink_is_followed(any_place: Place) -> None:
    files: Files = {"d/up": SymlinkAsset(".."), "d/leak": SymlinkAsset("up/../x")}

    with pytest.raises(TreeRefused, match="'d/leak'"):
        manifest_of(any_place, files)


def test_a_blob_that_nobody_has_is_unavailable(any_place: Place) -> None:
    manifest_of(any_place, {"a": b"hello\n"})

    with pytest.raises(SourceUnavailable):
        list(any_place.source.blobs(REPOSITORY, [BlobSha("1" * 40)]))
