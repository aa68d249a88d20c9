"""One running bot for all stories, and a repository of its own for each."""

from collections.abc import Iterator

import pytest

from tests.e2e.github_world import GitHubWorld, as_app
from tests.e2e.stories.world import Story


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    folder = tmp_path_factory.mktemp("stories")
    with as_app(folder, surfaces="check,deployment,comment,dispatch") as world:
        yield world


@pytest.fixture
def gh(world: GitHubWorld) -> Story:
    """Return a new repository."""
    return Story(world, f"story{len(world.gh.store.repositories)}")
