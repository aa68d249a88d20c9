"""`previewbot repository connect` against a GitHub with memory."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.storage.connect import engines
from bot.adapters.storage.hook_secrets import SqlHookSecrets
from bot.bootstrap.keys import vault_from
from bot.bootstrap.places import database_url
from bot.kernel.processes import built_environment
from bot.settings import Settings
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub

PUBLIC = "https://previewbot.example.com"
HOOK = f"{PUBLIC}/webhooks/github"


@pytest.fixture
def gh(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        yield github


@pytest.fixture
def repository(gh: FakeGitHub) -> FakeRepository:
    return gh.add_repository("octo/hello", private=True)


def connect(
    gh: FakeGitHub, data: Path, token: str, name: str = "octo/hello"
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "repository", "connect", name, "--data", str(data)]
    settings = {
        "PREVIEWBOT_GITHUB_API_URL": gh.api_url,
        "PREVIEWBOT_GITHUB_TOKEN": token,
        "PREVIEWBOT_PUBLIC_URL": PUBLIC,
    }
    environment = built_environment(**settings)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def kept(data: Path, repository: FakeRepository) -> str:
    settings = Settings(data_dir=data)
    opened = engines(database_url(settings))
    try:
        [found] = SqlHookSecrets(opened, vault_from(settings)).about(repository.id, "octo/hello")
    finally:
        opened.dispose()
    return found.secret


def test_an_administrator_connects_with_one_command_and_again(
    gh: FakeGitHub, repository: FakeRepository, tmp_path: Path
) -> None:
    token = gh.add_personal_token("ada", {repository.full_name: "admin"})
    data = tmp_path / "data"

    first = connect(gh, data, token)
    [before] = gh.store.hooks
    second = connect(gh, data, token)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    [hook] = gh.store.hooks
    assert (hook.id, hook.url) == (before.id, HOOK)
    assert hook.secret == kept(data, repository) != before.secret
    assert "push" in hook.events
    assert hook.secret not in first.stdout + second.stdout


def test_who_may_not_make_webhooks_is_told_how_to_by_hand(
    gh: FakeGitHub, repository: FakeRepository, tmp_path: Path
) -> None:
    token = gh.add_personal_token("eve", {repository.full_name: "write"})

    done = connect(gh, tmp_path / "data", token)

    assert done.returncode == 1
    assert gh.store.hooks == []
    assert HOOK in done.stdout
    assert kept(tmp_path / "data", repository) in done.stdout


def test_an_unknown_repository_is_an_error_that_names_it(
    gh: FakeGitHub, repository: FakeRepository, tmp_path: Path
) -> None:
    token = gh.add_personal_token("ada", {repository.full_name: "admin"})

    done = connect(gh, tmp_path / "data", token, "octo/unknown")

    assert done.returncode == 1
    assert "/repos/octo/unknown" in done.stderr
    assert token not in done.stderr
