"""Real git against the fake: smart HTTP with GitHub's logins."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.fakes.github.repository import Entry, FakeRepository, git_environment
from tests.fakes.github.server import FakeGitHub


def git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=git_environment(directory),
        capture_output=True,
        text=True,
        check=False,
    )


def address(gh: FakeGitHub, repository: FakeRepository, token: str | None) -> str:
    plain = gh.clone_url(repository)
    return plain if token is None else plain.replace("//", f"//x-access-token:{token}@")


def test_a_bare_commit_can_be_fetched_from_a_public_repository(
    gh: FakeGitHub, repository: FakeRepository, head: str, tmp_path: Path
) -> None:
    repository.commit({"main.ts": "second"})
    git(tmp_path, "init", "--quiet", "--bare", "mirror")

    done = git(
        tmp_path / "mirror", "fetch", "--filter=blob:none", address(gh, repository, None), head
    )

    assert done.returncode == 0, done.stderr
    assert "filtering not recognized" not in done.stderr
    assert git(tmp_path / "mirror", "cat-file", "-t", head).stdout == "commit\n"


@pytest.mark.parametrize(
    ("who", "works"), [("nobody", False), ("stranger", False), ("member", True), ("typo", False)]
)
def test_a_private_repository_opens_to_its_tokens_only(
    gh: FakeGitHub, tmp_path: Path, who: str, *, works: bool
) -> None:
    secret = gh.add_repository("octo/secret", private=True)
    secret.commit({"a.txt": "a"})
    tokens = {
        "nobody": None,
        "stranger": gh.add_personal_token("stranger", {}),
        "member": gh.add_personal_token("member", {"octo/secret": "read"}),
        "typo": "ghp_typo",
    }

    done = git(tmp_path, "ls-remote", address(gh, secret, tokens[who]))

    assert (done.returncode == 0) is works


def test_a_pushed_away_commit_is_gone_once_github_cleans_up(
    gh: FakeGitHub, repository: FakeRepository, head: str, tmp_path: Path
) -> None:
    lost = repository.commit({"main.ts": "lost"})
    repository.move_branch("main", head)
    repository.forget_unreachable()
    git(tmp_path, "init", "--quiet", "--bare", "mirror")

    done = git(tmp_path / "mirror", "fetch", address(gh, repository, None), lost)

    assert done.returncode == 128
    assert f"not our ref {lost}" in done.stderr


def test_a_push_needs_the_right_to_write(
    gh: FakeGitHub, repository: FakeRepository, head: str, tmp_path: Path
) -> None:
    token = gh.add_personal_token("writer", {"octo/hello": "write"})
    reader = gh.add_personal_token("reader", {"octo/hello": "read"})
    git(tmp_path, "clone", "--quiet", "--bare", address(gh, repository, None), "mine")
    results = [
        git(tmp_path / "mine", "push", address(gh, repository, who), f"{head}:refs/heads/new")
        for who in (reader, token)
    ]

    assert [done.returncode for done in results] == [128, 0]
    assert repository.head("new") == head


def test_a_commit_holds_what_was_said(repository: FakeRepository) -> None:
    repository.commit({"old.txt": "x"})

    repository.commit(
        {
            "a\nb.txt": "newline",
            "bin/run": Entry(kind="executable", content="#!/bin/sh\n"),
            "link": Entry(kind="symlink", content="/etc/passwd"),
            "sub": Entry(kind="submodule", content="1" * 40),
            "empty": b"",
            "old.txt": None,
        }
    )

    listed = repository.git("ls-tree", "-r", "-z", "main").split("\0")[:-1]
    assert sorted(entry.split(" ")[0] + entry.partition("\t")[2] for entry in listed) == [
        "100644a\nb.txt",
        "100644empty",
        "100755bin/run",
        "120000link",
        "160000sub",
    ]


def test_a_ref_is_read_from_the_real_repository(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    repository.commit({"a": "b"}, branch="feature/🦕", parent=head)

    answer = httpx.get(
        f"{gh.api_url}/repos/octo/hello/git/ref/heads/feature/🦕", trust_env=False
    ).json()

    assert answer["object"]["sha"] == repository.head("feature/🦕")
