"""Trees that git itself would not write, and files that are not what they seem."""

import pytest

from bot.adapters.git.source import GitSource
from bot.core.model.errors import TreeRefused
from bot.core.model.manifest import LeftOut
from bot.ports.source import KnownManifest
from tests.fakes.source import Files
from tests.integration.git.origin import Origin, Row

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"


def blob(origin: Origin, content: bytes = b"x") -> str:
    return origin.write("blob", content)


@pytest.mark.parametrize(
    "name", [b"..", b".", b".git", b".GIT", b"a/b", b"/etc", b"x" * 256, b"x\xe9", b"a/../b"]
)
def test_a_path_that_is_no_plain_name_is_refused(
    origin: Origin, source: GitSource, name: bytes
) -> None:
    tree = origin.write_tree([Row(b"40000", name, origin.write_tree([
        Row(b"100644", b"x", blob(origin))])),
    ])  # fmt: skip
    if name == b"a/b":  # reads as a path of two parts: harmless
        source.fetch(origin.repository, commit := origin.commit_tree("main", tree))
        assert set(source.manifest(origin.repository, commit).assets) == {"a/b/x"}
        return
    source.fetch(origin.repository, commit := origin.commit_tree("main", tree))

    with pytest.raises(TreeRefused):
        source.manifest(origin.repository, commit)


def test_a_name_that_is_not_utf8_is_refused_legibly(origin: Origin, source: GitSource) -> None:
    tree = origin.write_tree([Row(b"100644", b"x\xe9.txt", blob(origin))])
    source.fetch(origin.repository, commit := origin.commit_tree("main", tree))

    with pytest.raises(TreeRefused) as refusal:
        source.manifest(origin.repository, commit)

    assert str(refusal.value) == r"'x\udce9.txt' is not valid UTF-8"


def test_a_name_that_stands_twice_is_refused(origin: Origin, source: GitSource) -> None:
    row = Row(b"100644", b"a", blob(origin))
    tree = origin.write_tree([row, row])
    source.fetch(origin.repository, commit := origin.commit_tree("main", tree))

    with pytest.raises(TreeRefused, match="'a' appears twice"):
        source.manifest(origin.repository, commit)


@pytest.mark.parametrize("patched", [False, True])
def test_a_folder_behind_a_link_of_its_name_is_refused(
    origin: Origin, source: GitSource, *, patched: bool
) -> None:
    known = None
    if patched:
        first = origin.commit("main", {"b": b"1"})
        source.fetch(origin.repository, first)
        known = KnownManifest(commit=first, manifest=source.manifest(origin.repository, first))
    inside = origin.write_tree([Row(b"100644", b"x", blob(origin))])
    link = Row(b"120000", b"a", blob(origin, b"b"))
    tree = origin.write_tree([link, Row(b"40000", b"a", inside)])
    source.fetch(origin.repository, commit := origin.commit_tree("main", tree))

    with pytest.raises(TreeRefused, match="'a' is a file or link and a folder at once"):
        source.manifest(origin.repository, commit, known)


def test_a_device_is_no_file_for_git_either(origin: Origin, source: GitSource) -> None:
    tree = origin.write_tree([Row(b"10644", b"pipe", blob(origin))])
    source.fetch(origin.repository, commit := origin.commit_tree("main", tree))

    manifest = source.manifest(origin.repository, commit)

    assert manifest.assets == {}
    assert [item.path for item in manifest.left_out] == ["pipe"]


def test_a_link_longer_than_any_path_is_refused(origin: Origin, source: GitSource) -> None:
    tree = origin.write_tree([Row(b"120000", b"l", blob(origin, b"x/" * 3000))])
    source.fetch(origin.repository, commit := origin.commit_tree("main", tree))

    with pytest.raises(TreeRefused, match="'l' is a symbolic link to a path of 6000 bytes"):
        source.manifest(origin.repository, commit)


ATTRIBUTES = b"""\
# binary things
*.psd filter=lfs diff=lfs merge=lfs -text
/media/** filter=lfs
docs/*.pdf filter=lfs
[broken
*.txt text
"""

LFS_FILES: Files = {
    ".gitattributes": ATTRIBUTES,
    "a.psd": POINTER,
    "deep/er/b.psd": POINTER,
    "real.psd": b"a real one, committed before LFS",
    "media/x/y": POINTER,
    "docs/m.pdf": POINTER,
    "docs/more/m.pdf": POINTER,  # not tracked: the pattern has a slash
    "readme.txt": b"hello",
    "sub/.gitattributes": b"*.bin filter=lfs",
    "sub/c.bin": POINTER,
    "c.bin": POINTER,
}


def left_out_paths(left_out: tuple[LeftOut, ...]) -> list[str]:
    return [item.path for item in left_out if "LFS" in item.reason]


def test_lfs_pointers_are_left_out_and_named(origin: Origin, source: GitSource) -> None:
    source.fetch(origin.repository, commit := origin.commit("main", LFS_FILES))

    manifest = source.manifest(origin.repository, commit)

    expected = ["a.psd", "deep/er/b.psd", "docs/m.pdf", "media/x/y", "sub/c.bin"]
    assert left_out_paths(manifest.left_out) == expected
    assert not manifest.assets.keys() & set(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"new.psd": POINTER},
        {"a.psd": b"now real"},
        {"real.psd": POINTER},
        {"readme.txt": b"changed"},
        {".gitattributes": b""},
        {"sub/.gitattributes": b"*.psd filter=lfs"},
    ],
)
def test_lfs_pointers_are_left_out_of_a_patched_manifest_too(
    origin: Origin, source: GitSource, change: Files
) -> None:
    source.fetch(origin.repository, first := origin.commit("main", LFS_FILES))
    known = KnownManifest(commit=first, manifest=source.manifest(origin.repository, first))
    source.fetch(origin.repository, second := origin.commit("main", {**LFS_FILES, **change}))

    patched = source.manifest(origin.repository, second, known)

    assert patched == source.manifest(origin.repository, second)
