"""Trees that are changed rather than made: the result is the same."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.subhosting.build.materialise import materialise, rearrange
from bot.subhosting.build.spares import MIN_FILES, MOST, Spares
from bot.subhosting.store.blobs import Blob, BlobStore
from bot.subhosting.store.records import Manifest

CONTENTS = [Blob.of(b"content %d" % n) for n in range(6)]
HASHES = [blob.git_sha1 for blob in CONTENTS]
MANY = {f"d{n % 7}/f{n}": HASHES[n % 6] for n in range(MIN_FILES)}


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    store = BlobStore(tmp_path / "blobs")
    store.write("p", {blob.git_sha1: blob for blob in CONTENTS})
    return store.folder("p")


@pytest.fixture
def spares(tmp_path: Path) -> Iterator[Spares]:
    made = Spares(tmp_path / "spares")
    yield made
    made.close()


def seen(tree: Path) -> dict[str, str | bytes | None]:
    """Return every path: a link's target, a file's content, None for a folder."""
    found: dict[str, str | bytes | None] = {}
    for place, folders, names in os.walk(tree):
        for path in (Path(place, name) for name in (*folders, *names)):
            inner = path.relative_to(tree).as_posix()
            if path.is_symlink():
                found[inner] = str(path.readlink())
            else:
                found[inner] = path.read_bytes() if path.is_file() else None
    return found


def laid_out(spares: Spares, project: str, manifest: Manifest, blobs: Path) -> None:
    begun = spares.lay_out(project, manifest, blobs)
    assert begun is not None
    begun.result(timeout=20)


# Of few names, so that files, links and folders take each other's places.
NODES: st.SearchStrategy[object] = st.recursive(
    st.sampled_from([*HASHES, "-> a", "-> b/c"]),
    lambda inside: st.dictionaries(st.sampled_from("abc"), inside, min_size=1, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(st.sampled_from("abcd"), NODES, max_size=4)


def manifest_of(tree: dict[str, object]) -> Manifest:
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    todo = [("", tree)]
    while todo:
        prefix, here = todo.pop()
        for name, node in here.items():
            if isinstance(node, dict):
                todo.append((f"{prefix}{name}/", node))
            elif str(node).startswith("-> "):
                links[prefix + name] = str(node)[3:]
            else:
                files[prefix + name] = str(node)
    return Manifest(files=files, links=links)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, TREES)
def test_a_tree_that_is_rearranged_is_the_same_as_one_that_is_made(
    tmp_path_factory: pytest.TempPathFactory,
    blobs: Path,
    first: dict[str, object],
    second: dict[str, object],
) -> None:
    before, after = manifest_of(first), manifest_of(second)
    folder = tmp_path_factory.mktemp("trees")
    materialise(before, blobs, folder / "changed")
    materialise(after, blobs, folder / "made")

    rearrange(folder / "changed", before, after, blobs)

    assert seen(folder / "changed") == seen(folder / "made")


def test_a_tree_that_is_nearly_right_is_taken_and_made_right(
    spares: Spares, blobs: Path, tmp_path: Path
) -> None:
    laid_out(spares, "p", Manifest(files=MANY, links={}), blobs)
    files = {**MANY, "d0/f0": HASHES[5], "new/one": HASHES[1]}
    del files["d1/f1"]
    after = Manifest(files=files, links={"d2/l": "../d3"})

    assert spares.take("p", after, blobs, tmp_path / "deployments" / "x" / "src")

    materialise(after, blobs, tmp_path / "made")
    assert seen(tmp_path / "deployments" / "x" / "src") == seen(tmp_path / "made")
    assert (tmp_path / "deployments" / "x" / "src" / "d0/f0").stat().st_nlink > 1
    assert list((tmp_path / "spares").iterdir()) == []


def test_a_tree_is_taken_once(spares: Spares, blobs: Path, tmp_path: Path) -> None:
    manifest = Manifest(files=MANY, links={})
    laid_out(spares, "p", manifest, blobs)

    assert spares.take("p", manifest, blobs, tmp_path / "a")
    assert not spares.take("p", manifest, blobs, tmp_path / "b")


def test_a_tree_of_another_project_is_never_taken(
    spares: Spares, blobs: Path, tmp_path: Path
) -> None:
    manifest = Manifest(files=MANY, links={})
    laid_out(spares, "p", manifest, blobs)

    assert not spares.take("q", manifest, blobs, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_tree_that_is_far_from_right_is_left_alone(
    spares: Spares, blobs: Path, tmp_path: Path
) -> None:
    laid_out(spares, "p", Manifest(files=MANY, links={}), blobs)
    other = Manifest(files={f"other/{path}": sha1 for path, sha1 in MANY.items()}, links={})

    assert not spares.take("p", other, blobs, tmp_path / "a")


def test_a_small_app_needs_none(spares: Spares, blobs: Path) -> None:
    assert spares.lay_out("p", Manifest(files={"a": HASHES[0]}, links={}), blobs) is None


def test_a_content_that_is_lost_makes_a_tree_unfit_and_nothing_half_made(
    spares: Spares, blobs: Path, tmp_path: Path
) -> None:
    laid_out(spares, "p", Manifest(files=MANY, links={}), blobs)
    lost = Manifest(files={**MANY, "d0/f0": "0" * 40}, links={})

    assert not spares.take("p", lost, blobs, tmp_path / "d" / "src")

    assert list((tmp_path / "d").iterdir()) == []
    assert list((tmp_path / "spares").iterdir()) == []


def test_a_tree_that_cannot_be_laid_out_is_none(
    spares: Spares, blobs: Path, tmp_path: Path
) -> None:
    laid_out(spares, "p", Manifest(files={**MANY, "lost": "0" * 40}, links={}), blobs)

    assert not spares.take("p", Manifest(files=MANY, links={}), blobs, tmp_path / "a")
    assert list((tmp_path / "spares").iterdir()) == []


def test_the_newest_tree_stays_and_those_used_least_go(
    spares: Spares, blobs: Path, tmp_path: Path
) -> None:
    newer = Manifest(files={**MANY, "newer": HASHES[0]}, links={})
    laid_out(spares, "p0", Manifest(files=MANY, links={}), blobs)
    laid_out(spares, "p0", newer, blobs)
    for number in range(1, MOST + 1):
        laid_out(spares, f"p{number}", newer, blobs)

    assert len(list((tmp_path / "spares").iterdir())) == MOST
    assert not spares.take("p0", newer, blobs, tmp_path / "a")
    assert spares.take("p1", newer, blobs, tmp_path / "b")


def test_projects_that_are_gone_leave_no_tree(spares: Spares, blobs: Path, tmp_path: Path) -> None:
    manifest = Manifest(files=MANY, links={})
    for project in ("gone", "here"):
        laid_out(spares, project, manifest, blobs)

    spares.forget({"here"})

    assert not spares.take("gone", manifest, blobs, tmp_path / "a")
    assert spares.take("here", manifest, blobs, tmp_path / "b")


def test_what_an_earlier_process_left_is_removed(tmp_path: Path, blobs: Path) -> None:
    (tmp_path / "spares" / "p.1234" / "d").mkdir(parents=True)
    spares = Spares(tmp_path / "spares")
    laid_out(spares, "q", Manifest(files=MANY, links={}), blobs)

    names = [each.name.split(".")[0] for each in (tmp_path / "spares").iterdir()]
    spares.close()

    assert names == ["q"]
