"""Our own bare repositories."""

import os
import shlex
from pathlib import Path

import pytest

from bot.adapters.git.source import GitSource
from bot.adapters.local.repositories import Repositories, hook_script
from bot.core.model.errors import ConfigurationProblem, RecordNotFound, SourceUnavailable
from bot.core.model.ids import Branch, CommitSha, RepoName
from tests.integration.git.origin import git


def test_a_repository_is_made_bare_with_its_branch_and_hook(tmp_path: Path) -> None:
    made = Repositories(tmp_path).create("acme/site", default_branch="trunk")

    assert made.path == tmp_path / "repositories" / "acme" / "site.git"
    assert made.repository.name == "acme/site"
    assert made.repository.default_branch == "trunk"
    assert git("rev-parse", "--is-bare-repository", cwd=made.path) == "true"
    assert os.access(made.path / "hooks" / "post-receive", os.X_OK)


def test_making_it_again_keeps_its_number_and_renews_the_hook(tmp_path: Path) -> None:
    first = Repositories(tmp_path).create("acme/site")
    hook = first.path / "hooks" / "post-receive"
    hook.write_text("old")

    again = Repositories(tmp_path).create("acme/site")

    assert again == first
    assert hook.read_text() != "old"
    assert 0 < again.repository.id < 2**53


def test_repositories_are_found_again_by_name(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path)
    assert repositories.all() == []

    made = [repositories.create(name) for name in ("b/x.y", "a/z", "a/b")]

    assert repositories.all() == sorted(made, key=lambda one: one.repository.name)
    assert repositories.get("b/x.y") == made[0]
    assert len({one.repository.id for one in made}) == 3
    with pytest.raises(RecordNotFound, match="a/none"):
        repositories.get("a/none")


@pytest.mark.parametrize("name", ["", "x", "../x", "a/../b", "-x/y", "a/b/c", "a/b\n", "a/..git"])
def test_a_name_that_is_none_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationProblem):
        Repositories(tmp_path).create(name)

    assert list(tmp_path.iterdir()) == []


def test_a_branch_that_is_none_makes_no_repository(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path)

    with pytest.raises(SourceUnavailable):
        repositories.create("a/b", default_branch="../x")

    assert repositories.all() == []


def test_the_hook_holds_any_path(tmp_path: Path) -> None:
    data, python = tmp_path / "it's a $(dir)", "/opt/my python/bin/python3"

    shebang, command = hook_script(data, RepoName("acme/site"), python).splitlines()

    assert shebang == "#!/bin/sh"
    assert shlex.split(command) == [
        *("exec", python, "-P", "-m", "bot", "hook", "post-receive"),
        *("--data", str(data), "--repository", "acme/site"),
    ]


def test_a_local_repository_can_be_mirrored(tmp_path: Path) -> None:
    made = Repositories(tmp_path / "my data").create("acme/site")
    work = tmp_path / "work"
    git("clone", "-q", str(made.path), str(work), cwd=tmp_path)
    (work / "a").write_text("x")
    git("add", ".", cwd=work)
    git("commit", "-qm", "x", cwd=work)
    (made.path / "hooks" / "post-receive").unlink()
    git("push", "-q", "origin", "HEAD:main", cwd=work)
    base_url = (tmp_path / "my data" / "repositories").as_uri()
    source = GitSource(tmp_path / "mirrors", base_url, lambda _repository: None)

    head = source.head(made.repository, Branch("main"))

    assert head == git("rev-parse", "HEAD", cwd=work)
    source.fetch(made.repository, CommitSha(head))
    assert set(source.manifest(made.repository, CommitSha(head)).assets) == {"a"}
