"""Hashes from git's index: the same as from reading, and only while a file is what it was."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.adapters.git.directory import DirectorySource
from bot.adapters.git.index import index_around
from bot.core.model.ids import BlobSha, CommitSha
from bot.kernel.git_hash import blob_sha1
from bot.kernel.processes import built_environment

LONG = b"x" * 5000


def git(root: Path, *arguments: str) -> None:
    environment = built_environment(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null")
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True)


def write(path: Path, content: bytes, age_s: int = 10) -> None:
    """Write a file that was last written some time ago, as in a checkout of before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    then_ns = path.stat().st_mtime_ns - age_s * 10**9
    os.utime(path, ns=(then_ns, then_ns))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "--quiet")
    for name in ("a.txt", "sub/b.txt", "sub/\u00e4 \n.txt", "sub/" + "n" * 250):
        write(root / name, LONG + name.encode())
    git(root, "add", ".")
    return root


def noted(root: Path, name: str = "a.txt") -> BlobSha | None:
    return index_around(root).sha1_of(name, (root / name).lstat())


def test_an_unchanged_file_has_the_hash_that_git_noted(root: Path) -> None:
    for path in ("a.txt", "sub/b.txt", "sub/\u00e4 \n.txt", "sub/" + "n" * 250):
        assert noted(root, path) == blob_sha1(LONG + path.encode())


def test_a_folder_of_the_checkout_has_its_own_paths(root: Path) -> None:
    assert noted(root / "sub", "b.txt") == blob_sha1(LONG + b"sub/b.txt")


def test_the_manifest_is_the_same_with_and_without(root: Path) -> None:
    write(root / "sub/b.txt", LONG + b"changed")
    write(root / "new.txt", LONG + b"never added")

    def manifest() -> object:
        return DirectorySource(root).manifest(None, CommitSha(""))  # type: ignore[arg-type]

    by_git = manifest()
    (root / ".git").rename(root.parent / "elsewhere")

    assert by_git == manifest()


def test_a_file_that_was_written_again_is_not_trusted_even_at_its_old_time(root: Path) -> None:
    before = (root / "a.txt").stat()
    (root / "a.txt").write_bytes(b"y" * before.st_size)
    os.utime(root / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert noted(root) is None


def test_a_file_that_was_replaced_is_not_trusted(root: Path) -> None:
    before = (root / "a.txt").stat()
    write(root / "other.txt", b"y" * before.st_size)
    os.utime(root / "other.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    (root / "other.txt").rename(root / "a.txt")

    assert noted(root) is None


def test_a_file_written_as_late_as_the_index_is_not_trusted(root: Path) -> None:
    written_ns = (root / "a.txt").stat().st_mtime_ns
    os.utime(root / ".git/index", ns=(written_ns, written_ns))

    assert noted(root) is None


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree", "--intent-to-add"])
def test_what_git_was_told_not_to_look_at_is_not_trusted(root: Path, flag: str) -> None:
    if flag == "--intent-to-add":
        git(root, "rm", "--quiet", "--cached", "a.txt")
        git(root, "add", flag, "a.txt")
    else:
        git(root, "update-index", flag, "a.txt")

    assert noted(root) is None


def _attributes(root: Path) -> None:
    write(root / "sub/.gitattributes", b"*.txt text")
    git(root, "add", ".")


def _attributes_of_the_clone(root: Path) -> None:
    write(root / ".git/info/attributes", b"*.txt text")


def _line_ends(root: Path) -> None:
    git(root, "config", "core.autocrlf", "input")


def _other_version(root: Path) -> None:
    git(root, "update-index", "--index-version", "4")


def _cut(root: Path) -> None:
    index = root / ".git/index"
    index.write_bytes(index.read_bytes()[:100])


def _no_index(root: Path) -> None:
    (root / ".git/index").unlink()


@pytest.mark.parametrize(
    "spoil",
    [_attributes, _attributes_of_the_clone, _line_ends, _other_version, _cut, _no_index],
)
def test_where_git_may_have_stored_other_bytes_or_cannot_be_read_nothing_is_taken_from_it(
    root: Path, spoil: Callable[[Path], None]
) -> None:
    assert noted(root) is not None

    spoil(root)

    assert noted(root) is None
    assert DirectorySource(root).manifest(None, CommitSha("")).files_total() > 0  # type: ignore[arg-type]


def test_a_repository_of_sha_256_is_hashed_anew(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256")
    write(tmp_path / "a.txt", LONG)
    git(tmp_path, "add", ".")

    assert noted(tmp_path) is None
