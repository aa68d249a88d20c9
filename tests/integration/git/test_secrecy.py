"""What git's children see, and where a password goes: real git over HTTP with a login."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from git.exc import GitCommandError

from bot.adapters.git.commands import ClosedGit
from bot.adapters.git.credentials import answering, sweep
from bot.adapters.git.source import GitSource
from bot.core.model.errors import CommitGone, SourceUnavailable
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.ports.source import KnownManifest
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.integration.git.conftest import Diary

Opened = Callable[[str | None], GitSource]

IN_OUR_ENVIRONMENT = "a-secret-of-the-operators-shell"

ALLOWED = {
    *(
        "PATH",
        "LANG",
        "LC_ALL",
        "HOME",
        "PWD",
        "_",
        "OLDPWD",
        "SHLVL",
    ),  # the last three are the shell's
    *("GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_ATTR_NOSYSTEM", "GIT_TERMINAL_PROMPT"),
    *("GIT_ALLOW_PROTOCOL", "GIT_NO_REPLACE_OBJECTS", "GIT_OPTIONAL_LOCKS"),
    *(
        "GIT_CEILING_DIRECTORIES",
        "GIT_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ASKPASS",
        "GIT_LITERAL_PATHSPECS",
    ),
    "GIT_EXEC_PATH",  # git adds it when it calls itself
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as server:
        yield server


@pytest.fixture
def site(github: FakeGitHub) -> FakeRepository:
    return github.add_repository("acme/private", private=True)


@pytest.fixture
def token(github: FakeGitHub, site: FakeRepository) -> str:
    return github.add_personal_token("octocat", {site.full_name: "read"})


@pytest.fixture
def opened(github: FakeGitHub, tmp_path: Path) -> Iterator[Opened]:
    """Return what makes a source with a password, closed when the test is over."""
    with ExitStack() as open_sources:

        def made(password: str | None) -> GitSource:
            source = GitSource(tmp_path / "mirrors", github.git_url, lambda _repository: password)
            return open_sources.enter_context(closing(source))

        yield made


def as_ours(site: FakeRepository) -> Repository:
    return Repository(
        id=RepositoryId(site.id),
        name=RepoName(site.full_name),
        default_branch=Branch(site.default_branch),
    )


def test_no_child_sees_a_secret_and_none_stays_behind(
    site: FakeRepository,
    token: str,
    diary: Diary,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened: Opened,
) -> None:
    monkeypatch.setenv("PREVIEWBOT_GITHUB_TOKEN", IN_OUR_ENVIRONMENT)
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    source = opened(token)
    repository = as_ours(site)
    first = CommitSha(site.commit({"a.txt": b"1", "b.txt": b"2"}))
    source.fetch(repository, first)
    known = KnownManifest(commit=first, manifest=source.manifest(repository, first))
    assert len(dict(source.blobs(repository, known.manifest.blobs()))) == 2
    second = CommitSha(site.commit({"a.txt": b"changed"}))

    assert source.head(repository, Branch("main")) == second
    source.fetch(repository, second)
    manifest = source.manifest(repository, second, known)
    new = manifest.blobs() - known.manifest.blobs()

    assert list(dict(source.blobs(repository, new)).values()) == [b"changed"]
    # The fake's own `git http-backend` writes into the diary too; ours are those with a HOME.
    ours = [page for page in diary.pages() if str(tmp_path / "mirrors") in page]
    assert len(ours) >= 7
    for page in ours:
        assert token not in page
        assert IN_OUR_ENVIRONMENT not in page
        lines = page.split("--- argv")[0].splitlines()
        assert {line.partition("=")[0] for line in lines} <= ALLOWED
    files = [path for path in (tmp_path / "mirrors").rglob("*") if path.is_file()]
    assert [path for path in files if token.encode() in path.read_bytes()] == []


def test_a_refused_password_is_not_repeated_in_the_error(
    site: FakeRepository, tmp_path: Path, opened: Opened
) -> None:
    wrong = "ghp_wrong0123456789"
    source = opened(wrong)

    with pytest.raises(SourceUnavailable) as problem:
        source.fetch(as_ours(site), CommitSha("1" * 40))

    assert wrong not in str(problem.value)
    assert list((tmp_path / "mirrors" / ".git-home").glob("askpass-*")) == []


def test_without_a_password_git_does_not_ask_a_person(
    site: FakeRepository, opened: Opened
) -> None:
    source = opened(None)

    with pytest.raises(SourceUnavailable, match="terminal prompts disabled"):
        source.head(as_ours(site), Branch("main"))


def test_a_commit_that_was_pruned_is_gone_over_http_too(
    site: FakeRepository, token: str, opened: Opened
) -> None:
    site.commit({"a.txt": b"1"})
    source = opened(token)

    with pytest.raises(CommitGone):
        source.fetch(as_ours(site), CommitSha("1" * 40))


def test_the_password_stands_only_in_a_private_file_for_a_while(tmp_path: Path) -> None:
    with answering("hunter2", tmp_path) as environment:
        [directory] = tmp_path.iterdir()
        modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}

        assert "hunter2" not in str(environment)
        assert "hunter2" not in (directory / "askpass").read_text()
        assert directory.stat().st_mode & 0o777 == 0o700
        assert modes == {"askpass": 0o700, "password": 0o600}

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_worker_left_is_swept(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    (tmp_path / f"askpass-{gone.pid}-x").mkdir()
    (tmp_path / "askpass-1-x").mkdir()

    sweep(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["askpass-1-x"]


def test_a_git_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE) as endless:
        git = ClosedGit(tmp_path, {"PATH": "/usr/bin:/bin"})

        with pytest.raises(GitCommandError, match=r"no end within 0 s"):
            git.hash_object("--stdin", istream=endless.stdout, kill_after_timeout=0.2)

        endless.kill()
