"""What follows from comments and from the buttons of checks."""

from tests.e2e.stories.world import BREAKS, HANGS, Story, page


def test_preview_help(gh: Story) -> None:
    """A reply lists the commands and the roles that they need; anybody may ask."""
    gh.repository.commit(page("dev"), branch="dev")
    pull = gh.open_pull_request("dev")

    comment = gh.comment(pull, "eve", "/preview help")

    assert "| `/preview redeploy [APP]` |" in gh.wait_for_reply(pull)
    gh.wait_for_reactions(comment, "eyes", "+1")


def test_preview_status(gh: Story) -> None:
    """A reply tells how the previews of the pull request stand."""
    gh.wait_for_check(gh.push(None, "dev"))
    pull = gh.open_pull_request("dev")

    gh.comment(pull, "eve", "/preview status")

    assert gh.url("dev") in gh.wait_for_reply(pull)


def test_preview_redeploy_or_the_redeploy_button(gh: Story) -> None:
    """The head is deployed once more, even if it is live."""
    sha = gh.push(None, "dev")
    first = gh.wait_for_check(sha).external_id
    pull = gh.open_pull_request("dev")

    comment = gh.comment(pull, "ada", "/preview redeploy")
    gh.wait_for_reactions(comment, "eyes", "rocket")
    run = gh.wait_for_other_attempt(sha, first)
    second = run.external_id
    gh.press("ada", "redeploy", run)

    gh.wait_for_other_attempt(sha, first, second)
    assert gh.served("dev") == sha


def test_the_retry_button_of_a_failed_check_or_re_run(gh: Story) -> None:
    """The commit is tried again."""
    sha = gh.push(BREAKS)
    first = gh.wait_for_check(sha, "failure")
    seen = [first.external_id]

    gh.press("ada", "retry", first)
    second = gh.wait_for_other_attempt(sha, *seen, conclusion="failure")
    seen.append(second.external_id)
    gh.press("ada", None, second)

    gh.wait_for_other_attempt(sha, *seen, conclusion="failure")


def test_preview_destroy_or_the_destroy_button(gh: Story) -> None:
    """The preview is removed until the next commit or `/preview deploy`."""
    sha = gh.push(None, "dev")
    run = gh.wait_for_check(sha)
    pull = gh.open_pull_request("dev")

    gh.press("ada", "destroy", run)
    gh.wait_until_gone("dev")
    removed = gh.wait_for_check(sha, "neutral")
    assert removed.title == "Removed: ada removed it"
    gh.comment(pull, "ada", "/preview deploy")

    gh.wait_until_served("dev", sha)
    gh.comment(pull, "ada", "/preview destroy")
    gh.wait_until_gone("dev")


def test_preview_cancel(gh: Story) -> None:
    """What is being deployed is given up; what is live goes on."""
    live = gh.push(None, "dev")
    gh.wait_for_check(live)
    pull = gh.open_pull_request("dev")
    sha = gh.push(HANGS, "dev")
    gh.wait_until_running(sha)

    gh.comment(pull, "ada", "/preview cancel")

    assert gh.wait_for_check(sha, "cancelled").title == "Cancelled: ada cancelled it"
    assert gh.served("dev") == live


def test_preview_rollback(gh: Story) -> None:
    """The deployment before is served again, until the next commit."""
    first = gh.push(page("first"), "dev")
    gh.wait_for_check(first)
    gh.wait_for_check(gh.push(page("second"), "dev"))
    pull = gh.open_pull_request("dev")

    gh.comment(pull, "max", "/preview rollback")

    assert gh.wait_until_served("dev", first).body == b"first\n"


def test_preview_promote(gh: Story) -> None:
    """What the preview serves goes to production, until the default branch moves."""
    gh.configure("production: true\n")
    sha = gh.push(page("promoted"), "dev")
    gh.wait_for_check(sha)
    pull = gh.open_pull_request("dev")

    gh.comment(pull, "max", "/preview promote")

    gh.wait_for_production(sha)
    assert gh.in_production() == sha


def test_preview_rollback_production(gh: Story) -> None:
    """What production served before is served again, until the default branch moves."""
    gh.configure("production: true\n")
    first = gh.push(page("first"))
    gh.wait_for_production(first)
    second = gh.push(page("second"))
    gh.wait_for_production(second)
    gh.wait_for_check(gh.push(None, "dev"))
    pull = gh.open_pull_request("dev")

    gh.comment(pull, "max", "/preview rollback production")

    gh.wait_until_in_production(first)
    assert gh.served("main") == second


def test_a_command_from_somebody_without_the_role(gh: Story) -> None:
    """Refused with the role that it needs, as GitHub's collaborator permission has it."""
    sha = gh.push(None, "dev")
    gh.wait_for_check(sha)
    pull = gh.open_pull_request("dev")

    comment = gh.comment(pull, "eve", "/preview destroy")

    gh.wait_for_reactions(comment, "eyes", "-1")
    assert gh.wait_for_reply(pull) == (
        "`/preview destroy`: It needs the write role or more, and eve has read."
    )
    assert gh.served("dev") == sha


def test_a_command_with_a_slip_in_it(gh: Story) -> None:
    """The reply has the likeliest command to copy."""
    gh.repository.commit(page("dev"), branch="dev")
    pull = gh.open_pull_request("dev")

    comment = gh.comment(pull, "ada", "/preview redploy")

    gh.wait_for_reactions(comment, "eyes", "confused")
    assert "/preview redeploy" in gh.wait_for_reply(pull)
