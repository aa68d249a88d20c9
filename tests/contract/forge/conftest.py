"""The forges of the suite: the fake, and GitHub's adapter before a GitHub with memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.github.forge import app_forge
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.ports.forge import Forge
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.github.server import PERMISSIONS, FakeGitHub

# What only some surfaces need.
MORE = {"administration": "write", "contents": "write"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A forge, a repository on it with a commit on `main`, and what people see there."""

    forge: Forge
    repository: Repository
    head: CommitSha
    checks: Callable[[], list[tuple[str, str]]]  # of the commit: title, status
    comments: Callable[[], list[str]]  # on pull request 7
    told: Callable[[], list[str]]  # what workflows were told
    deployments: Callable[[], list[tuple[str, str]]]  # environment, state; oldest first


@pytest.fixture(params=["fake", "github"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "fake":
        yield _faked()
        return
    with FakeGitHub(tmp_path / "github", FakeClock()) as gh:
        yield _on_github(gh)


def _faked() -> Place:
    forge = FakeForge()
    return Place(
        forge=forge,
        repository=Repository(
            id=RepositoryId(7), name=RepoName("octo/hello"), default_branch=Branch("main")
        ),
        head=CommitSha("a" * 40),
        checks=lambda: [(c.title, str(c.status)) for c in forge.latest().values()],
        comments=lambda: [c.body for c in forge.comments.values() if c.pull == 7],
        told=lambda: [str(notice.news) for notice in forge.told],
        deployments=lambda: [
            (shown.environment, str(shown.state)) for shown in forge.deployments().values()
        ],
    )


def _on_github(gh: FakeGitHub) -> Place:
    there = gh.add_repository("octo/hello")
    head = there.commit({"main.ts": "Deno.serve(() => new Response('hello'))\n"})
    for number in (7, 8):
        gh.open_pull_numbered(number, there, "main")
    app_id, key = gh.add_app(permissions=PERMISSIONS | MORE)
    return Place(
        forge=app_forge(app_id, key, clock=gh.store.clock, api_url=gh.api_url),
        repository=Repository(
            id=RepositoryId(there.id),
            name=RepoName(there.full_name),
            default_branch=Branch("main"),
        ),
        head=CommitSha(head),
        checks=lambda: [(run.title or "", run.status) for run in gh.checks(there, head)],
        comments=lambda: [comment.body for comment in gh.comments(there, 7)],
        told=lambda: [event.event_type for event in gh.dispatches(there)],
        deployments=lambda: [
            (found.environment, found.statuses[-1].state) for found in gh.deployments(there)
        ],
    )
