"""The one comment on a pull request, over real HTTP: ours, once, within the limit."""

from dataclasses import dataclass

import pytest
from github import Github
from typing_extensions import override

from bot.adapters.github.comments import Comments
from bot.adapters.github.forge import GitHubForge, app_forge, token_forge
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import PullNumber, Repository
from bot.core.model.surfaces import StickyComment
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import PERMISSIONS, FakeGitHub
from tests.integration.github.values import known

MARKER = "<!-- ours -->"
CREATE = r"/issues/7/comments$"
EDIT = r"/issues/comments/\d+$"


@pytest.fixture
def repository(gh: FakeGitHub) -> FakeRepository:
    """Return a repository with a pull request 7."""
    there = gh.add_repository("octo/hello")
    there.commit({"a.txt": "a"})
    gh.open_pull_numbered(7, there, "main")
    return there


def sticky(ours: Repository, text: str) -> StickyComment:
    body = f"{MARKER}\n{text}"
    return StickyComment(repository=ours, pull=PullNumber(7), marker=MARKER, body=body)


def written_by(gh: FakeGitHub, repository: FakeRepository, login: str, text: str) -> None:
    """Let somebody else comment, with our marker in front."""
    token = gh.add_personal_token(login, {repository.full_name: "write"})
    other = token_forge(token, clock=FakeClock(), api_url=gh.api_url)
    other.comment(sticky(known(repository), text), None)


def bodies(gh: FakeGitHub, repository: FakeRepository) -> list[tuple[str, str]]:
    return [(c.author, c.body.removeprefix(f"{MARKER}\n")) for c in gh.comments(repository, 7)]


def test_somebody_elses_comment_with_our_marker_is_left_alone(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    written_by(gh, repository, "mallory", "click here")

    forge.comment(sticky(ours, "deploying"), None)
    forge.comment(sticky(ours, "live"), None)

    assert bodies(gh, repository) == [("mallory", "click here"), ("previewbot[bot]", "live")]


def test_a_comment_that_was_deleted_is_written_anew(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    ref = forge.comment(sticky(ours, "deploying"), None)
    gh.store.comments.clear()

    again = forge.comment(sticky(ours, "live"), ref)

    assert again != ref
    assert bodies(gh, repository) == [("previewbot[bot]", "live")]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(("method", "path"), [("POST", CREATE), ("PATCH", EDIT)])
def test_an_answer_that_is_lost_makes_no_second_comment(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    method: str,
    path: str,
    *,
    stored: bool,
) -> None:
    gh.fail_next(method, path, stored=stored)

    forge.comment(sticky(ours, "deploying"), None)
    forge.comment(sticky(ours, "live"), None)

    assert bodies(gh, repository) == [("previewbot[bot]", "live")]


@dataclass
class Late(Comments):
    """Looks, and is overtaken before it writes; once."""

    forge: GitHubForge
    overtaken_by: StickyComment | None

    def __post_init__(self) -> None:
        super().__init__(self.forge._access, self.forge._comments._retries)

    @override
    def _oldest(self, client: Github, comment: StickyComment) -> int | None:
        seen = super()._oldest(client, comment)
        if self.overtaken_by is not None:
            first, self.overtaken_by = self.overtaken_by, None
            self.forge.comment(first, None)
        return seen


def test_of_two_that_are_written_at_once_the_older_stays(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    late = Late(forge, sticky(ours, "theirs"))

    ref = late.publish(sticky(ours, "mine"), None)

    [comment] = gh.comments(repository, 7)
    assert (str(comment.id), comment.body) == (ref, f"{MARKER}\nmine")
    created = [r for r in gh.requests if r.method == "POST" and r.path.endswith("/comments")]
    assert len(created) == 2


def test_ours_is_found_behind_many_others(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    token = gh.add_personal_token("ada", {repository.full_name: "write"})
    client = token_forge(token, clock=FakeClock(), api_url=gh.api_url)._access.client(ours)
    for number in range(100):
        path = f"/repos/{repository.full_name}/issues/7/comments"
        client.requester.requestJsonAndCheck("POST", path, input={"body": f"chat {number}"})
    ref = forge.comment(sticky(ours, "deploying"), None)

    assert forge.comment(sticky(ours, "live"), None) == ref


def test_a_long_comment_is_cut_to_what_github_takes(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    forge.comment(sticky(ours, "🦕" * 70_000), None)

    [comment] = gh.comments(repository, 7)
    assert len(comment.body) == 65_536


def test_a_missing_right_is_named(gh: FakeGitHub, repository: FakeRepository) -> None:
    lacking = {name: level for name, level in PERMISSIONS.items() if name != "pull_requests"}
    app_id, key = gh.add_app("poor", lacking)
    forge = app_forge(app_id, key, clock=FakeClock(), api_url=gh.api_url)

    with pytest.raises(ForgeRefused, match="pull requests: write"):
        forge.comment(sticky(known(repository, gh.installation_id(repository, app_id)), "x"), None)
