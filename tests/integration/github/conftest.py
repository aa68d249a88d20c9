from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.github.forge import GitHubForge, app_forge
from bot.core.model.ids import Repository
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.integration.github.values import known


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gh(tmp_path: Path, clock: FakeClock) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github", clock) as github:
        yield github


@pytest.fixture
def repository(gh: FakeGitHub) -> FakeRepository:
    return gh.add_repository("octo/hello")


@pytest.fixture
def head(repository: FakeRepository) -> str:
    return repository.commit({"main.ts": "Deno.serve(() => new Response('hello'))\n"})


@pytest.fixture
def forge(gh: FakeGitHub, clock: FakeClock) -> GitHubForge:
    app_id, key = gh.add_app()
    return app_forge(app_id, key, clock=clock, api_url=gh.api_url)


@pytest.fixture
def ours(repository: FakeRepository) -> Repository:
    return known(repository)
