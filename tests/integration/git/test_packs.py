"""Our look at packs beside what git itself says is there."""

from pathlib import Path

import pytest

from bot.adapters.git.packs import holds
from tests.fakes.source import Files
from tests.integration.git.origin import Origin, git

FILES: Files = {f"d{n % 9}/f{n}": b"content %d" % n for n in range(400)}


@pytest.fixture(params=["sha1", "sha256"])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Origin:
    """Return a repository with two packs and a few loose objects."""
    origin = Origin(tmp_path / "server", algorithm=request.param)
    for n in range(2):
        origin.commit("main", {**FILES, "n": b"%d" % n})
        git("repack", "-d", "-q", cwd=origin.path)
    origin.commit("main", {**FILES, "n": b"loose"})
    return origin


def all_objects(origin: Origin) -> set[str]:
    listing = git(
        "cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=origin.path
    )
    return set(listing.split())


def test_everything_that_git_has_is_found(packed: Origin) -> None:
    objects = all_objects(packed)

    assert len(list((packed.path / "objects/pack").glob("*.idx"))) == 2
    assert len(objects) > 400
    assert {oid for oid in objects if holds(packed.path / "objects", oid)} == objects


def test_neighbours_of_what_git_has_are_not_found(packed: Origin) -> None:
    objects = all_objects(packed)
    digits = len(next(iter(objects)))
    near = {f"{int(oid, 16) + step:0{digits}x}" for oid in objects for step in (-1, 1)}
    ends = {"0" * digits, "f" * digits}

    assert [oid for oid in near | ends if holds(packed.path / "objects", oid)] == []


def test_only_git_can_tell_what_an_odd_index_lists(packed: Origin) -> None:
    absent = "1" * len(next(iter(all_objects(packed))))
    index = next((packed.path / "objects/pack").glob("*.idx"))
    index.chmod(0o600)

    whole = index.read_bytes()
    for odd in (b"", b"no index", whole[:500], b"\xfftOc\x00\x00\x00\x03" + whole[8:]):
        index.write_bytes(odd)
        assert holds(packed.path / "objects", absent) is None


def test_a_repository_without_packs_has_none(tmp_path: Path) -> None:
    assert holds(tmp_path / "nowhere", "1" * 40) is False
