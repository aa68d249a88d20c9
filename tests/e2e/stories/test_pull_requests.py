"""What follows from pull requests, those of forks too."""

import json

import pytest

from bot.bootstrap.variables import open_safe
from bot.core.model.environment import Context
from bot.core.model.variables import Scope
from tests.e2e.stories.world import TELLS_ITS_ENVIRONMENT, Story, page

SECRET = "correct horse battery staple"


def test_a_pull_request_from_a_branch_is_opened(gh: Story) -> None:
    """It gets a URL of its own, `<app>--pr-<n>`, beside the branch's; nothing is built twice."""
    sha = gh.push(None, "dev")
    run = gh.wait_for_check(sha)

    gh.open_pull_request("dev")

    gh.wait_until_served("pr-1", sha)
    assert gh.served("dev") == sha
    assert gh.world.gh.checks(gh.repository, sha) == [run]


def test_a_pull_request_gets_another_commit(gh: Story) -> None:
    """Both URLs serve it, and the one comment is edited in place."""
    older = gh.push(None, "dev")
    gh.wait_for_check(older)
    pull = gh.open_pull_request("dev")
    gh.wait_for_comment(pull, older[:7])

    sha = gh.push(None, "dev")

    gh.wait_until_served("pr-1", sha)
    gh.wait_for_check(sha)
    gh.wait_for_comment(pull, sha[:7])
    assert gh.served("dev") == sha


def test_a_pull_request_is_closed_or_merged(gh: Story) -> None:
    """Its URL goes; the branch keeps its own until it is deleted."""
    sha = gh.push(None, "dev")
    gh.wait_for_check(sha)
    given_up, wanted = gh.open_pull_request("dev"), gh.open_pull_request("dev")
    gh.wait_until_served("pr-1", sha)
    gh.wait_until_served("pr-2", sha)

    gh.close(given_up)
    gh.close(wanted, merged=True)

    gh.wait_until_gone("pr-1")
    gh.wait_until_gone("pr-2")
    assert gh.served("dev") == sha


def test_a_pull_request_is_reopened(gh: Story) -> None:
    """It gets its URL back."""
    sha = gh.push(None, "dev")
    gh.wait_for_check(sha)
    pull = gh.open_pull_request("dev")
    gh.wait_until_served("pr-1", sha)
    gh.close(pull)
    gh.wait_until_gone("pr-1")

    gh.reopen(pull)

    gh.wait_until_served("pr-1", sha)


def test_a_pull_request_from_a_fork_is_opened(gh: Story) -> None:
    """Its check asks for an approval; nothing of it runs until then."""
    fork = gh.fork()
    sha = fork.commit(page("from afar"))

    gh.open_pull_request("main", fork=fork)

    run = gh.wait_for_check(sha, "action_required")
    assert [action["identifier"] for action in run.actions] == ["approve"]
    assert gh.get("pr-1").status == 404


@pytest.mark.needs_system_part("bubblewrap")
def test_a_maintainer_approves_the_commit_of_a_fork(gh: Story) -> None:
    """That commit runs, and sees none of the repository's variables."""
    gh.wait_for_check(gh.push())
    with open_safe(gh.world.installation.settings(), gh.repository.full_name) as safe:
        safe.variables.put(safe.repository, Scope(context=Context.PREVIEW), "TOKEN", SECRET)
    fork = gh.fork()
    sha = fork.commit(TELLS_ITS_ENVIRONMENT | {"index.html": None})
    gh.open_pull_request("main", fork=fork)

    gh.press("max", "approve", gh.wait_for_check(sha, "action_required"))

    gh.wait_for_check(sha)
    answer = gh.get("pr-1")
    assert answer.headers["x-preview-sha"] == sha
    assert "TOKEN" not in json.loads(answer.body)


def test_an_author_approves_their_own_fork(gh: Story) -> None:
    """Refused, whatever role they have."""
    gh.world.gh.give_role(gh.repository, "eve", "admin")
    fork = gh.fork()
    sha = fork.commit(page("mine"))
    pull = gh.open_pull_request("main", fork=fork)
    gh.wait_for_check(sha, "action_required")

    comment = gh.comment(pull, "eve", f"/preview approve {sha}")

    gh.wait_for_reactions(comment, "eyes", "-1")
    assert gh.get("pr-1").status == 404


def test_a_fork_gets_another_commit(gh: Story) -> None:
    """The new commit waits for an approval of its own; the question about the old one ends."""
    fork = gh.fork()
    older = fork.commit(page("looked at"))
    pull = gh.open_pull_request("main", fork=fork)
    gh.wait_for_check(older, "action_required")

    newer = gh.push_to_fork(pull, page("not looked at"))

    gh.wait_for_check(newer, "action_required")
    gh.wait_for_check(older, "cancelled")


def test_forks_where_the_configuration_says_never(gh: Story) -> None:
    """Their check is *skipped*."""
    gh.configure("forks: never\n")
    fork = gh.fork()
    sha = fork.commit(page("in vain"))

    gh.open_pull_request("main", fork=fork)

    run = gh.wait_for_check(sha, "skipped")
    assert "forks-not-deployed" in (run.summary or "")
