"""What is asked of GitHub anew each time: pull requests, and who may do what."""

from dataclasses import replace

import pytest

from bot.adapters.github.forge import GitHubForge, token_forge
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import Branch, Login, PullNumber, RepoName, Repository, RepositoryId
from bot.core.model.lines import BranchLine, PullLine
from bot.core.model.pulls import Permission, PullState
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub

NEW = {"main.ts": "// new\n"}


def test_a_pull_request_is_read_as_it_stands(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    first = repository.commit(NEW, branch="dev", parent=head)
    pull = gh.open_pull(repository, "dev")
    second = repository.commit(NEW, branch="dev")
    pull.labels = ["preview"]

    found = forge.pull(ours, PullNumber(pull.number))

    assert found is not None
    assert found.head == second != first
    assert found.labels == ("preview",)
    assert found.line(ours) == BranchLine(Branch("dev"))


def test_a_fork_s_pull_request_is_one_after_the_fork_is_gone(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    fork = gh.fork(repository, "stranger")
    fork.commit(NEW, branch="main", parent=head)
    pull = gh.open_pull(repository, "main", fork=fork, author="stranger")
    before = forge.pull(ours, PullNumber(pull.number))
    pull.head_repository = None

    after = forge.pull(ours, PullNumber(pull.number))

    assert before is not None
    assert after is not None
    assert before.line(ours) == after.line(ours) == PullLine(PullNumber(1))
    assert before.head == after.head


def test_closed_and_merged_are_told_apart_and_what_never_was_is_none(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    pulls = []
    for branch, merged in (("a", False), ("b", True)):
        repository.commit(NEW, branch=branch, parent=head)
        pulls.append(gh.open_pull(repository, branch))
        gh.close_pull(pulls[-1], merged=merged)

    found = [forge.pull(ours, PullNumber(number)) for number in (1, 2, 3)]

    assert [one and one.state for one in found] == [PullState.CLOSED, PullState.MERGED, None]


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("read", Permission.READ),
        ("triage", Permission.TRIAGE),
        ("write", Permission.WRITE),
        ("maintain", Permission.MAINTAIN),
        ("admin", Permission.ADMIN),
        ("release manager", Permission.WRITE),  # an organization's own role, which is write
    ],
)
def test_a_role_says_more_than_the_level(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    role: str,
    permission: Permission,
) -> None:
    gh.give_role(repository, "ada", role)

    assert forge.permission(ours, Login("ada")) is permission


def test_a_stranger_may_read_what_is_public_and_nothing_else(
    gh: FakeGitHub, forge: GitHubForge, ours: Repository
) -> None:
    hidden = gh.add_repository("octo/hidden", private=True)
    theirs = Repository(
        id=ours.id, name=type(ours.name)(hidden.full_name), default_branch=Branch("main")
    )

    assert forge.permission(ours, Login("stranger")) is Permission.READ
    assert forge.permission(theirs, Login("stranger")) is Permission.NONE


def test_an_app_without_the_right_is_told_which_one(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    gh.open_pull(repository, "main")
    gh.fail_next(
        "GET", "/pulls/1", status=403, message="Resource not accessible by integration", times=2
    )

    with pytest.raises(ForgeRefused, match="it needs pull requests: read"):
        forge.pull(ours, PullNumber(1))


def test_a_repository_is_ours_as_long_as_the_app_is_installed_on_it(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    before = forge.reaches(ours)
    (app_id,) = gh.store.apps
    gh.store.uninstall(app_id, repository)

    assert before
    assert not forge.reaches(ours)  # though it is public


def test_another_repository_under_the_same_name_is_not_ours(
    forge: GitHubForge, ours: Repository
) -> None:
    assert not forge.reaches(replace(ours, id=RepositoryId(ours.id + 1)))


def test_a_token_reaches_what_it_reads_under_its_number(
    gh: FakeGitHub, clock: FakeClock, repository: FakeRepository, ours: Repository
) -> None:
    token = gh.add_personal_token("ada", {repository.full_name: "write"})
    forge = token_forge(token, clock=clock, api_url=gh.api_url)

    assert forge.reaches(ours)
    assert not forge.reaches(replace(ours, id=RepositoryId(ours.id + 1)))
    assert not forge.reaches(replace(ours, name=RepoName("octo/gone")))
