"""`DirectorySource`: what only a plain directory can do wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.git.directory import DirectorySource, commit_for, commit_of
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.manifest import FileAsset, Manifest, SymlinkAsset
from tests.integration.git.origin import git

REPOSITORY = Repository(id=RepositoryId(0), name=RepoName("a/b"), default_branch=Branch("main"))
NO_COMMIT = CommitSha("0" * 40)


def manifest_of(root: Path) -> Manifest:
    return DirectorySource(root).manifest(REPOSITORY, NO_COMMIT)


def test_git_and_packages_are_no_part_of_it(tmp_path: Path) -> None:
    for path in ("main.ts", ".git/config", "d/.GIT/x", "node_modules/p/i.js", "d/node_modules/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / "d" / "sub").mkdir()
    (tmp_path / "d" / "sub" / ".git").write_text("gitdir: elsewhere")

    manifest = manifest_of(tmp_path)

    assert set(manifest.assets) == {"main.ts"}
    assert [item.path for item in manifest.left_out] == ["d/node_modules", "node_modules"]


def test_dotenv_files_are_left_out_with_a_warning_and_their_examples_are_not(
    tmp_path: Path,
) -> None:
    for name in (".env", ".env.local", ".env.example", "main.ts"):
        (tmp_path / name).write_text("x")

    manifest = manifest_of(tmp_path)

    assert sorted(manifest.assets) == [".env.example", "main.ts"]
    assert [item.path for item in manifest.left_out] == [".env", ".env.local"]


def test_links_are_kept_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_text("x")
    (tmp_path / "to-folder").symlink_to("d")
    (tmp_path / "dangling").symlink_to("./nowhere//x")

    assets = manifest_of(tmp_path).assets

    assert set(assets) == {"d/a", "to-folder", "dangling"}
    assert assets["dangling"] == SymlinkAsset("./nowhere//x")


def test_special_files_and_lfs_pointers_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big.psd").write_text("version https://git-lfs.github.com/spec/v1\noid x\n")

    manifest = manifest_of(tmp_path)

    assert manifest.assets == {}
    assert [item.path for item in manifest.left_out] == ["big.psd", "pipe"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xe9")).touch()

    with pytest.raises(TreeRefused, match="not valid UTF-8"):
        manifest_of(tmp_path)


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    source = DirectorySource(tmp_path)
    wanted = source.manifest(REPOSITORY, NO_COMMIT).blobs()
    (tmp_path / "a").write_text("after")

    with pytest.raises(SourceUnavailable, match="'a' changed while it was being deployed"):
        list(source.blobs(REPOSITORY, wanted))


def test_a_directory_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="nowhere"):
        manifest_of(tmp_path / "nowhere")


def test_a_checkout_knows_its_commit(tmp_path: Path) -> None:
    git("init", "-q", cwd=tmp_path)
    assert commit_of(tmp_path) is None

    git("commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path)
    (tmp_path / "sub").mkdir()

    commit = git("rev-parse", "HEAD", cwd=tmp_path)
    assert commit_of(tmp_path) == commit_of(tmp_path / "sub") == commit


def test_a_directory_without_git_has_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
    assert commit_of(tmp_path / "nowhere") is None


def test_the_same_files_have_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "l").symlink_to("a")
    first = manifest_of(tmp_path)

    assert commit_for(first) == commit_for(manifest_of(tmp_path))
    assert len(commit_for(first)) == 40

    (tmp_path / "a").chmod(0o755)

    second = manifest_of(tmp_path)
    assert isinstance(second.assets["a"], FileAsset)
    assert commit_for(first) != commit_for(second)


def test_it_starts_without_the_heavy_libraries() -> None:
    heavy = {"git", "dbos", "flask", "sqlalchemy", "pydantic", "httpx"}
    code = f"import sys, bot.adapters.git.directory; print({heavy!r} & set(sys.modules))"
    root = Path(__file__).parents[3]

    output = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert output.stdout == "set()\n"
