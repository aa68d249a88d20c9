"""Commands in comments and buttons on checks: one request, one rule, always an answer."""

import pytest

from bot.core.model.checks import Button, CheckStatus, Conclusion
from bot.core.model.commands import NEEDED, Verb
from bot.core.model.events import CheckSuiteRerequested
from bot.core.model.ids import Login, Repository
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.pulls import Permission
from tests.fakes.target import BREAKS
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

ADA, MAX = Login("ada"), Login("max")


@pytest.fixture
def bot() -> BotInMemory:
    """Return a bot with a live branch `dev` and its pull request; ada may write, max maintain."""
    bot = BotInMemory()
    bot.forge.roles = {ADA: Permission.WRITE, MAX: Permission.MAINTAIN}
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))
    return bot


def newest(bot: BotInMemory) -> Deployment:
    return bot.deployments()[-1]


def test_a_command_is_seen_at_once_and_answered_in_the_end(bot: BotInMemory) -> None:
    asked = bot.comment("ada", "/preview redeploy")

    key = bot.react_to(asked)

    assert bot.reason(key) == "deploy"
    assert bot.reactions(asked) == ["eyes", "rocket"]
    assert [one.state for one in bot.deployments()] == ["live", "live"]
    assert bot.replies() == []


def test_help_lists_every_command_with_its_role(bot: BotInMemory) -> None:
    bot.react_to(bot.comment("stranger", "/preview"))

    [table] = bot.replies()
    assert [verb for verb in Verb if f"/preview {verb}" not in table] == []
    assert (
        "| `/preview approve COMMIT` | let one commit of a fork run, by its full id | maintain |"
        in table
    )


def test_status_shows_where_the_previews_are(bot: BotInMemory) -> None:
    bot.react_to(bot.comment("stranger", "/preview status"))

    [table] = bot.replies()
    assert "https://hello--dev.preview.test" in table


@pytest.mark.parametrize("verb", [verb for verb in Verb if NEEDED[verb] > Permission.READ])
def test_a_refusal_names_the_role_that_is_missing(bot: BotInMemory, verb: Verb) -> None:
    asked = bot.comment("stranger", f"/preview {verb}")

    key = bot.react_to(asked)

    role = NEEDED[verb].name.lower()
    assert bot.reason(key) == "right-missing"
    assert bot.reactions(asked) == ["eyes", "-1"]
    assert bot.replies() == [
        f"`/preview {verb}`: It needs the {role} role or more, and stranger has read."
    ]
    assert len(bot.deployments()) == 1


def test_a_right_that_is_lost_before_the_deed_stops_it(bot: BotInMemory) -> None:
    asked = bot.comment("ada", "/preview destroy")
    bot.deliver(asked)
    asked_for = bot.forge.permission
    answers = iter([Permission.WRITE, Permission.READ])
    bot.forge.permission = lambda repository, login: (  # type: ignore[method-assign]
        next(answers) if login == ADA else asked_for(repository, login)
    )

    bot.decide_all()

    assert bot.served_at("dev") is not None
    assert bot.reactions(asked)[-1] == "-1"
    assert bot.replies() == ["`/preview destroy`: It needs the write role, which ada has lost."]


def test_a_right_that_is_lost_before_the_deployment_cancels_it(bot: BotInMemory) -> None:
    bot.deliver(bot.comment("ada", "/preview redeploy"))
    bot.decide_all()
    bot.forge.roles[ADA] = Permission.READ

    bot.deploy_all()

    check = bot.forge.of(newest(bot).id)[-1]
    assert check.title == "Cancelled: it needs the write role, which ada has lost"


def test_a_slip_is_met_with_the_likeliest_meaning(bot: BotInMemory) -> None:
    asked = bot.comment("stranger", "/preview redploy")

    key = bot.react_to(asked)

    assert bot.reason(key) == "command-misunderstood"
    assert bot.reactions(asked) == ["eyes", "confused"]
    assert bot.replies() == [
        """`/preview redploy`: There is no command 'redploy'; did you mean this?

```text
/preview redeploy
```"""
    ]


def test_deploy_of_what_is_live_says_how_to_do_it_again(bot: BotInMemory) -> None:
    asked = bot.comment("ada", "/preview deploy")

    key = bot.react_to(asked)

    assert bot.reason(key) == "already-handled"
    assert "/preview redeploy" in bot.replies()[0]
    assert len(bot.deployments()) == 1


def test_deploy_tries_a_failed_commit_again(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev", {**APP, "main.ts": BREAKS}))

    bot.react_to(bot.comment("ada", "/preview deploy"))

    assert [one.state for one in bot.deployments()] == ["live", "failed", "failed"]


def test_cancel_gives_up_what_runs_and_keeps_what_is_live(bot: BotInMemory) -> None:
    live = bot.served_at("dev")
    bot.deliver(bot.push("dev", {**APP, "n": b"2"}))
    bot.decide_all()

    asked = bot.comment("ada", "/preview cancel")
    bot.react_to(asked)

    assert bot.reactions(asked) == ["eyes", "+1"]
    assert bot.forge.of(newest(bot).id)[-1].title == "Cancelled: ada cancelled it"
    assert bot.served_at("dev") == live


def test_a_cancelled_commit_is_not_started_by_hearing_of_it_again(bot: BotInMemory) -> None:
    push = bot.push("dev", {**APP, "n": b"2"})
    bot.deliver(push)
    bot.decide_all()
    bot.react_to(bot.comment("ada", "/preview cancel"))

    again = bot.react_to(push)

    assert bot.reason(again) == "already-handled"
    bot.react_to(bot.comment("ada", "/preview deploy"))
    assert bot.served_at("dev") == push.after


def test_cancel_with_nothing_to_cancel_says_so(bot: BotInMemory) -> None:
    key = bot.react_to(bot.comment("ada", "/preview cancel"))

    assert bot.reason(key) == "command-pointless"
    assert bot.replies() == ["`/preview cancel`: Nothing is being deployed."]


def test_destroy_removes_the_preview_until_somebody_wants_it_back(bot: BotInMemory) -> None:
    push_again = bot.push("dev", {**APP, "n": b"2"})
    bot.react_to(push_again)

    bot.react_to(bot.comment("ada", "/preview destroy"))
    gone = (bot.served_at("dev"), bot.served_for(1))
    check = bot.forge.of(newest(bot).id)[-1]
    heard_again = bot.react_to(push_again)
    bot.react_to(bot.comment("ada", "/preview deploy"))

    assert gone == (None, None)
    assert (check.title, check.conclusion) == ("Removed: ada removed it", Conclusion.NEUTRAL)
    assert bot.reason(heard_again) == "already-handled"
    assert bot.served_at("dev") == bot.served_for(1) == push_again.after


def test_a_command_on_a_closed_pull_request_says_that_there_is_nothing_to_do_it_for(
    bot: BotInMemory,
) -> None:
    bot.react_to(bot.close_pull())

    key = bot.react_to(bot.comment("ada", "/preview redeploy"))

    assert bot.reason(key) == "command-pointless"
    assert "no open pull request" in bot.replies()[0]


def test_an_app_that_there_is_not_is_told(bot: BotInMemory) -> None:
    bot.react_to(bot.comment("ada", "/preview redeploy docs"))

    assert bot.replies() == [
        "`/preview redeploy`: There is no app docs; this repository has one app only."
    ]


def test_an_app_may_be_named_by_its_slug(bot: BotInMemory) -> None:
    key = bot.react_to(bot.comment("ada", "/preview redeploy hello"))

    assert bot.reason(key) == "deploy"


def test_redeploy_button_does_what_the_command_does(bot: BotInMemory) -> None:
    key = bot.react_to(bot.press("ada", Button.REDEPLOY, newest(bot)))

    assert bot.reason(key) == "deploy"
    assert [one.state for one in bot.deployments()] == ["live", "live"]


def test_retry_button_tries_a_failed_commit_again(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev", {**APP, "main.ts": BREAKS}))

    bot.react_to(bot.press("ada", Button.RETRY, newest(bot)))

    assert len(bot.deployments()) == 3


def test_destroy_button_removes_the_preview(bot: BotInMemory) -> None:
    bot.react_to(bot.press("ada", Button.DESTROY, newest(bot)))

    assert bot.served_at("dev") is None


def test_a_button_pressed_without_the_right_is_answered_on_the_pull_request(
    bot: BotInMemory,
) -> None:
    key = bot.react_to(bot.press("stranger", Button.DESTROY, newest(bot)))

    assert bot.reason(key) == "right-missing"
    assert bot.replies() == [
        "`/preview destroy`: It needs the write role or more, and stranger has read."
    ]


def test_re_run_deploys_the_head_again(bot: BotInMemory) -> None:
    bot.react_to(bot.rerun("ada", newest(bot)))

    assert [one.state for one in bot.deployments()] == ["live", "live"]


def test_re_run_of_an_older_commit_only_ends_its_check_again(bot: BotInMemory) -> None:
    older = newest(bot)
    bot.react_to(bot.push("dev", {**APP, "n": b"2"}))
    written = len(bot.forge.of(older.id))

    key = bot.react_to(bot.rerun("ada", older))

    assert bot.reason(key) == "check-stale"
    assert len(bot.forge.of(older.id)) == written + 1
    assert bot.forge.of(older.id)[-1].status is CheckStatus.COMPLETED
    assert len(bot.deployments()) == 2


def test_re_run_of_all_checks_deploys_the_head_again(bot: BotInMemory) -> None:
    event = CheckSuiteRerequested(repository=REPOSITORY, head=newest(bot).head, sender=ADA)

    key = bot.react_to(event)

    assert bot.reason(key) == "deploy"
    assert len(bot.deployments()) == 2


def test_re_run_of_all_checks_deploys_each_branch_that_the_commit_heads(bot: BotInMemory) -> None:
    head = newest(bot).head
    bot.react_to(bot.force_push("other", head))
    before = len(bot.deployments())

    key = bot.react_to(CheckSuiteRerequested(repository=REPOSITORY, head=head, sender=ADA))

    again = bot.deployments()[before:]
    assert bot.reason(key) == "deploy"
    assert {one.preview.name for one in again} == {"dev", "other"}
    assert {one.state for one in again} == {DeploymentState.LIVE}


@pytest.mark.parametrize("button", ["", "format-disk", "APPROVE"])
def test_a_button_that_is_none_of_ours_does_nothing(bot: BotInMemory, button: str) -> None:
    key = bot.react_to(bot.press("max", button, newest(bot)))

    assert bot.reason(key) == "check-not-ours"


def test_a_check_of_another_repository_is_none_of_ours(bot: BotInMemory) -> None:
    other = bot.press("max", Button.DESTROY, newest(bot))
    elsewhere = type(other)(
        repository=type(REPOSITORY)(
            id=type(REPOSITORY.id)(99),
            name=REPOSITORY.name,
            default_branch=REPOSITORY.default_branch,
        ),
        head=other.head,
        external_id=other.external_id,
        action=other.action,
        sender=other.sender,
    )

    key = bot.react_to(elsewhere)

    assert bot.reason(key) == "check-not-ours"
    assert bot.served_at("dev") is not None


def test_rollback_serves_the_deployment_before_again(bot: BotInMemory) -> None:
    first = bot.served_at("dev")
    second = bot.push("dev", {**APP, "n": b"2"})
    bot.react_to(second)
    creates = len(bot.target.creates)

    asked = bot.comment("max", "/preview rollback")
    bot.react_to(asked)

    assert bot.served_at("dev") == bot.served_for(1) == first
    assert bot.reactions(asked) == ["eyes", "rocket"]
    assert len(bot.target.creates) == creates
    check = bot.forge.of(bot.deployments()[1].id)[-1]
    assert check.title == f"Rolled back: {str(first)[:7]} is served instead"
    assert check.conclusion is Conclusion.NEUTRAL


def test_a_rollback_holds_until_the_next_commit(bot: BotInMemory) -> None:
    first = bot.served_at("dev")
    second = bot.push("dev", {**APP, "n": b"2"})
    bot.react_to(second)
    bot.react_to(bot.comment("max", "/preview rollback"))

    heard_again = bot.react_to(second)
    still = bot.served_at("dev")
    third = bot.push("dev", {**APP, "n": b"3"})
    bot.react_to(third)

    assert bot.reason(heard_again) == "already-handled"
    assert still == first
    assert bot.served_at("dev") == third.after


def test_a_push_during_a_rollback_wins(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev", {**APP, "n": b"2"}))
    bot.deliver(bot.comment("max", "/preview rollback"))
    bot.decide_all()
    third = bot.push("dev", {**APP, "n": b"3"})  # nobody has told us yet

    bot.deploy_all()

    assert newest(bot).state is DeploymentState.SUPERSEDED
    assert len(bot.target.deployments) == 2  # the earlier one was not cancelled
    bot.react_to(third)
    assert bot.served_at("dev") == third.after


def test_rollback_goes_back_by_number_and_by_commit(bot: BotInMemory) -> None:
    heads = [newest(bot).head]
    for number in (b"2", b"3"):
        push = bot.push("dev", {**APP, "n": number})
        bot.react_to(push)
        heads.append(push.after)

    bot.react_to(bot.comment("max", "/preview rollback 2"))
    two_back = bot.served_at("dev")
    bot.react_to(bot.comment("max", f"/preview rollback {heads[1][:8]}"))

    assert two_back == heads[0]
    assert bot.served_at("dev") == heads[1]


def test_rollback_without_anything_earlier_says_so(bot: BotInMemory) -> None:
    key = bot.react_to(bot.comment("max", "/preview rollback"))

    assert bot.reason(key) == "command-pointless"
    assert "no such earlier deployment" in bot.replies()[0]


def test_an_earlier_deployment_that_the_platform_lost_fails_the_rollback(
    bot: BotInMemory,
) -> None:
    lost = newest(bot).target_id
    push = bot.push("dev", {**APP, "n": b"2"})
    bot.react_to(push)
    assert lost is not None
    del bot.target.deployments[lost]

    bot.react_to(bot.comment("max", "/preview rollback"))

    assert newest(bot).title == "The earlier deployment is gone"
    assert bot.served_at("dev") == push.after


def test_the_same_comment_delivered_twice_is_obeyed_once(bot: BotInMemory) -> None:
    asked = bot.comment("ada", "/preview redeploy")

    bot.react_to(asked, guid="same")
    bot.react_to(asked, guid="same")

    assert len(bot.deployments()) == 2


def test_a_forge_that_is_away_for_a_moment_is_waited_for_with_the_answer(
    bot: BotInMemory,
) -> None:
    asked = bot.comment("ada", "/preview destroy")
    bot.deliver(asked)
    bot.forge.away_for = 2

    bot.decide_all()

    assert bot.served_at("dev") is None
    assert bot.reactions(asked)[-1] == "+1"


def test_what_github_refuses_to_tell_is_answered_with_its_words(bot: BotInMemory) -> None:
    bot.forge.refuses = "GET collaborators/ada"
    asked = bot.comment("ada", "/preview redeploy")

    key = bot.react_to(asked)

    [reply] = bot.replies()
    assert bot.reason(key) == "forge-refused"
    assert bot.reactions(asked) == ["eyes", "-1"]
    assert reply.startswith("`/preview redeploy`: Previewbot may not do that here: ")
    assert "metadata: read" in reply


def test_a_right_that_cannot_be_asked_for_again_stops_the_deed_as_well(bot: BotInMemory) -> None:
    asked = bot.comment("ada", "/preview destroy")
    bot.deliver(asked)
    asked_for = bot.forge.permission

    def refused_from_now_on(repository: Repository, login: Login) -> Permission:
        has = asked_for(repository, login)
        bot.forge.refuses = "GET collaborators/ada"
        return has

    bot.forge.permission = refused_from_now_on  # type: ignore[method-assign]

    bot.decide_all()

    [reply] = bot.replies()
    assert bot.served_at("dev") is not None
    assert bot.reactions(asked) == ["eyes", "-1"]
    assert "metadata: read" in reply
