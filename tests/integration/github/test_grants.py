"""What the bot was given, asked for over real HTTP."""

from dataclasses import replace

from bot.adapters.github.forge import GitHubForge, token_forge
from bot.core.model.ids import RepoName, Repository, RepositoryId
from tests.fakes.clock import FakeClock
from tests.fakes.github.server import FakeGitHub
from tests.integration.github.values import known


def nothing() -> list[Repository]:
    return []


def test_an_app_tells_what_it_is_installed_on_with_the_installation(
    gh: FakeGitHub, forge: GitHubForge
) -> None:
    given = [gh.add_repository(name) for name in ("octo/one", "octo/two", "eve/three")]

    found = list(forge.grants(nothing).repositories())

    assert [(each.id, each.name, each.default_branch) for each in found] == [
        (each.id, each.full_name, each.default_branch) for each in given
    ]
    assert [each.installation for each in found] == [gh.installation_id(each) for each in given]


def test_the_token_for_that_may_read_no_file(gh: FakeGitHub, forge: GitHubForge) -> None:
    gh.add_repository("octo/one")

    list(forge.grants(nothing).repositories())

    [minted] = [r for r in gh.requests if r.path.endswith("/access_tokens")]
    assert minted.body == {"permissions": {"metadata": "read"}}


def test_more_than_a_page_is_read_page_by_page(gh: FakeGitHub, forge: GitHubForge) -> None:
    repository = gh.add_repository("octo/first")
    for number in range(100):
        more = replace(repository, id=1_000_000 + number, full_name=f"octo/r{number}")
        gh.store.add_repository(more)

    assert len(list(forge.grants(nothing).repositories())) == 101


def test_an_installation_that_may_not_be_asked_does_not_hide_the_others(
    gh: FakeGitHub, forge: GitHubForge
) -> None:
    gh.add_repository("octo/one")
    gh.add_repository("eve/two")
    gh.fail_next("POST", "/access_tokens", status=403)

    assert [each.name for each in forge.grants(nothing).repositories()] == ["eve/two"]


def test_with_a_token_it_is_what_was_connected_and_is_still_that_one(
    gh: FakeGitHub, clock: FakeClock, ours: Repository
) -> None:
    other = known(gh.add_repository("octo/other"))
    token = gh.add_personal_token("ada", {"octo/hello": "write", "octo/other": "write"})
    forge = token_forge(token, clock=clock, api_url=gh.api_url)
    kept = [ours, replace(other, id=RepositoryId(1)), replace(other, name=RepoName("octo/gone"))]

    found = list(forge.grants(lambda: kept).repositories())

    assert [(each.id, each.name) for each in found] == [(ours.id, ours.name)]
