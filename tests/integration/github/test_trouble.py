"""Trouble on the way to GitHub: what is repeated, what is waited for, what is given up."""

import pytest

from bot.adapters.github.forge import GitHubForge, app_forge, token_forge
from bot.core.model.errors import ForgeRefused, ForgeUnavailable
from bot.core.model.ids import Repository
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.integration.github.values import CREATE, UPDATE, calls, check, live


def test_a_create_that_was_stored_although_it_failed_leads_to_one_check(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    gh.fail_next("POST", CREATE, status=502, stored=True)

    ref = forge.publish(check(ours, head), None)

    [run] = gh.checks(repository, head)
    assert ref == str(run.id)
    assert calls(gh)[:3] == ["GET lookup 200", "POST run 502", "GET lookup 200"]


def test_a_create_whose_line_was_cut_leads_to_one_check(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    gh.fail_next("POST", CREATE, status=None, stored=True)

    forge.publish(check(ours, head), None)

    assert len(gh.checks(repository, head)) == 1


@pytest.mark.parametrize("stored", [True, False])
def test_an_update_that_failed_is_sent_again(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    head: str,
    *,
    stored: bool,
) -> None:
    ref = forge.publish(check(ours, head), None)
    gh.fail_next("PATCH", UPDATE, status=502, stored=stored)

    forge.publish(live(ours, head), ref)

    assert gh.checks(repository, head)[0].conclusion == "success"
    assert calls(gh)[-2:] == ["PATCH run 502", "PATCH run 200"]


@pytest.mark.parametrize(
    ("status", "headers", "message", "waited_s"),
    [
        (403, {"Retry-After": "7"}, "You have exceeded a secondary rate limit", 7),
        (429, {"Retry-After": "7"}, "Too many", 7),
        (429, {}, "Too many", 60),
        (403, {}, "You have exceeded a secondary rate limit. Please wait", 60),
        (503, {"Retry-After": "Sun, 01 Mar 2026 12:00:09 GMT"}, "Away", 9),
        (
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772366430"},
            "API rate limit exceeded for installation ID 1.",
            31,
        ),
        (500, {}, "Oops", 0.5),
    ],
)
def test_a_limit_is_waited_out_by_the_clock_that_was_given(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    head: str,
    clock: FakeClock,
    status: int,
    headers: dict[str, str],
    message: str,
    waited_s: float,
) -> None:
    ref = forge.publish(check(ours, head), None)
    gh.fail_next("PATCH", UPDATE, status=status, headers=headers, message=message)

    forge.publish(live(ours, head), ref)

    assert [wait.total_seconds() for wait in clock.slept] == [waited_s]
    assert gh.checks(repository, head)[0].conclusion == "success"


def test_a_limit_that_lasts_is_not_waited_out(
    gh: FakeGitHub, forge: GitHubForge, ours: Repository, head: str, clock: FakeClock
) -> None:
    gh.fail_next("POST", CREATE, status=429, headers={"Retry-After": "3600"})

    with pytest.raises(ForgeUnavailable, match="asked to wait 3600 s"):
        forge.publish(check(ours, head), None)

    assert clock.slept == []


def test_a_github_that_stays_away_is_given_up(
    gh: FakeGitHub, forge: GitHubForge, ours: Repository, head: str, clock: FakeClock
) -> None:
    gh.fail_next("POST", CREATE, status=502, times=9)

    with pytest.raises(ForgeUnavailable, match=r"Server Error \(attempt 5\)"):
        forge.publish(check(ours, head), None)

    assert [wait.total_seconds() for wait in clock.slept] == [0.5, 1, 2, 4]


def test_a_refused_check_names_the_right_that_is_missing(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository, head: str, clock: FakeClock
) -> None:
    app_id, key = gh.add_app("reader", {"checks": "read", "contents": "read", "metadata": "read"})
    forge = app_forge(app_id, key, clock=clock, api_url=gh.api_url)

    with pytest.raises(
        ForgeRefused, match="not accessible by integration; it needs checks: write"
    ):
        forge.publish(check(ours, head), None)

    assert gh.checks(repository, head) == []


def test_a_commit_that_is_gone_is_a_refusal(
    forge: GitHubForge, ours: Repository, repository: FakeRepository
) -> None:
    repository.commit({"a": "b"})

    with pytest.raises(ForgeRefused, match="No commit found for SHA"):
        forge.publish(check(ours, "1" * 40), None)


def test_no_answer_at_all_is_a_github_that_is_away(
    ours: Repository, head: str, clock: FakeClock
) -> None:
    forge = token_forge("ghs_x", clock=clock, api_url="http://127.0.0.1:9/api/v3")

    with pytest.raises(ForgeUnavailable, match="ConnectionError"):
        forge.publish(check(ours, head), None)
