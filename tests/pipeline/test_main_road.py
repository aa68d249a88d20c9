from datetime import timedelta

import pytest

from bot.core.model.checks import CheckStatus, Conclusion
from bot.core.model.errors import TargetRefused
from bot.core.model.preview import DeploymentState, Stage
from tests.fakes.source import Submodule
from tests.fakes.target import BREAKS, HANGS
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory, stable_label


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def test_a_push_becomes_a_preview_with_a_check(bot: BotInMemory) -> None:
    push = bot.push()

    key = bot.react_to(push)

    (deployment,) = bot.deployments()
    assert bot.reason(key) == "deploy"
    assert deployment.state is DeploymentState.LIVE
    assert bot.served_at("main") == push.after
    assert deployment.url == "https://hello--main.preview.test"
    assert deployment.deployment_url == f"https://hello-d-{deployment.id}.preview.test"
    check = bot.the_check()
    assert check.conclusion is Conclusion.SUCCESS
    assert "https://hello--main.preview.test" in check.summary
    assert check.details_url == f"https://bot.test/deployments/{deployment.id}"


def test_a_check_is_queued_then_in_progress_then_completed(bot: BotInMemory) -> None:
    bot.react_to(bot.push())

    assert [check.status for check in bot.forge.history] == [
        CheckStatus.QUEUED,
        CheckStatus.IN_PROGRESS,
        CheckStatus.COMPLETED,
    ]


def test_a_waiting_commit_already_carries_its_check(bot: BotInMemory) -> None:
    bot.deliver(bot.push())
    bot.decide_all()

    assert bot.the_check().status is CheckStatus.QUEUED


def test_the_stages_are_recorded_in_the_order_of_the_road(bot: BotInMemory) -> None:
    bot.react_to(bot.push())

    stages = bot.store.stages(bot.deployments()[0].id)
    assert [record.stage for record in stages] == list(Stage)
    assert all(record.finished_at is not None for record in stages)


def test_only_the_changed_file_travels(bot: BotInMemory) -> None:
    bot.react_to(bot.push())
    bot.source.read.clear()

    bot.react_to(bot.push(files={**APP, "deno.json": b'{"tasks":{}}\n'}))

    transfer = bot.deployments()[-1].transfer
    assert transfer is not None
    assert (transfer.files_sent, transfer.files_total) == (1, 2)
    assert len(bot.source.read) == 1


def test_another_branch_of_the_repository_sends_only_what_differs(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main"))
    bot.react_to(bot.push("dev"))

    transfer = bot.deployments()[-1].transfer
    assert transfer is not None
    assert transfer.files_sent == 0


def test_a_build_that_breaks_fails_the_check_at_its_line(bot: BotInMemory) -> None:
    first = bot.push()
    bot.react_to(first)

    bot.react_to(bot.push(files={**APP, "main.ts": BREAKS}))

    deployment = bot.deployments()[-1]
    check = bot.forge.latest()[deployment.id]
    assert deployment.state is DeploymentState.FAILED
    assert check.conclusion is Conclusion.FAILURE
    assert [(note.path, note.line) for note in check.annotations] == [("main.ts", 1)]
    assert bot.served_at("main") == first.after


def test_a_build_that_does_not_answer_never_owns_a_stable_label(bot: BotInMemory) -> None:
    bot.target.all_mute = True

    bot.react_to(bot.push())

    assert bot.deployments()[0].state is DeploymentState.FAILED
    assert stable_label("main") not in bot.target.bindings


def test_a_build_that_never_ends_is_timed_out_and_cancelled(bot: BotInMemory) -> None:
    bot.build_timeout = timedelta(seconds=30)

    bot.react_to(bot.push(files={**APP, "main.ts": HANGS}))

    assert bot.deployments()[0].state is DeploymentState.TIMED_OUT
    assert bot.the_check().conclusion is Conclusion.TIMED_OUT
    assert bot.target.deployments == {}


def test_a_platform_that_goes_away_during_a_build_is_waited_for(bot: BotInMemory) -> None:
    bot.target.looks_to_build = 5
    bot.target.away_after_looks = 2

    bot.react_to(bot.push())

    assert bot.deployments()[0].state is DeploymentState.LIVE
    assert bot.target.away_after_looks is None


def test_a_tree_without_an_entry_point_says_what_to_add(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={"README.md": b"# hello\n"}))

    assert bot.the_check().title == "No entry point found"
    assert "main.ts" in bot.the_check().summary


def test_a_configured_entry_point_is_used(bot: BotInMemory) -> None:
    bot.entrypoint = "cmd/serve.ts"

    bot.react_to(bot.push(files={"cmd/serve.ts": b"", "main.ts": BREAKS}))

    assert bot.deployments()[0].state is DeploymentState.LIVE


def test_a_configured_entry_point_that_is_missing_is_named(bot: BotInMemory) -> None:
    bot.entrypoint = "cmd/serve.ts"

    bot.react_to(bot.push())

    assert "cmd/serve.ts" in bot.the_check().summary


def test_a_tree_with_an_unsafe_path_is_refused_by_its_name(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**APP, "a/../../etc": b"x"}))

    assert bot.deployments()[0].state is DeploymentState.FAILED
    assert [note.path for note in bot.the_check().annotations] == ["a/../../etc"]
    assert bot.target.creates == []


def test_a_submodule_is_left_out_with_a_warning(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**APP, "vendor/lib": Submodule()}))

    check = bot.the_check()
    assert check.conclusion is Conclusion.SUCCESS
    assert [(note.path, str(note.severity)) for note in check.annotations] == [
        ("vendor/lib", "warning")
    ]


def test_a_commit_that_was_force_pushed_away_is_cancelled(bot: BotInMemory) -> None:
    push = bot.push()
    bot.deliver(push)
    bot.decide_all()
    newer = bot.push()
    bot.source.forget(push.after)

    bot.deploy_all()

    assert bot.deployments()[0].state is DeploymentState.SUPERSEDED
    assert newer.after[:7] in bot.the_check().title


def test_a_commit_that_the_server_lost_fails_the_check(bot: BotInMemory) -> None:
    push = bot.push()
    bot.source.forget(push.after)

    bot.react_to(push)

    assert bot.the_check().title == "The commit no longer exists"


def test_a_platform_that_is_away_for_a_moment_is_waited_for(bot: BotInMemory) -> None:
    bot.target.unavailable_calls = 3

    bot.react_to(bot.push())

    assert bot.deployments()[0].state is DeploymentState.LIVE


def test_a_platform_that_stays_away_fails_the_check(bot: BotInMemory) -> None:
    bot.target.unavailable_calls = 10_000

    bot.react_to(bot.push())

    assert bot.the_check().conclusion is Conclusion.FAILURE
    assert "unavailable" in bot.the_check().summary


def test_a_platform_that_refuses_is_quoted(bot: BotInMemory) -> None:
    bot.target.refusal = TargetRefused(
        "fake", status=400, code="sizeLimit", message="total size is over 1 GB"
    )

    bot.react_to(bot.push())

    assert "total size is over 1 GB" in bot.the_check().summary


def test_a_forge_that_is_away_stops_nothing_but_the_last_report_waits_for_it(
    bot: BotInMemory,
) -> None:
    bot.forge.away_for = 4

    bot.react_to(bot.push())

    assert bot.deployments()[0].state is DeploymentState.LIVE
    assert bot.the_check().conclusion is Conclusion.SUCCESS


def test_a_forge_that_stays_away_still_leaves_a_finished_record(bot: BotInMemory) -> None:
    bot.forge.away_for = 10_000

    bot.react_to(bot.push())

    assert bot.deployments()[0].state is DeploymentState.LIVE


def test_a_source_that_is_away_fails_the_check_with_a_reason(bot: BotInMemory) -> None:
    bot.deliver(bot.push())
    bot.decide_all()
    bot.source.away = True

    bot.deploy_all()

    assert bot.the_check().conclusion is Conclusion.FAILURE
    assert "away" in bot.the_check().summary


def test_two_branches_with_one_label_do_not_share_a_url(bot: BotInMemory) -> None:
    bot.react_to(bot.push("feature/x"))
    taken = stable_label("feature/x").removeprefix("hello--")

    bot.react_to(bot.push(taken))

    assert bot.deployments()[-1].state is DeploymentState.FAILED
    assert bot.served_at("feature/x") == bot.deployments()[0].head


def test_a_problem_of_our_own_still_ends_in_a_terminal_check(bot: BotInMemory) -> None:
    bot.deliver(bot.push())
    bot.decide_all()
    bot.target.base = "elsewhere.test"  # the fake then answers with an assertion of its own
    bot.target.blobs = None  # type: ignore[assignment]

    bot.deploy_all()

    assert bot.the_check().title == "Internal error"
    assert bot.deployments()[0].state is DeploymentState.FAILED


def test_a_deleted_branch_is_not_revived_by_a_build_that_was_running(bot: BotInMemory) -> None:
    bot.deliver(bot.push("dev"))
    bot.decide_all()
    bot.deliver(bot.delete_branch("dev"))
    bot.decide_all()

    bot.deploy_all()

    assert bot.served_at("dev") is None
    assert bot.the_check().title == "Cancelled: the branch is gone"


def test_a_deleted_branch_leaves_nothing_on_the_platform(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.push("dev", {**APP, "n": b"2"}))
    kept = bot.push("main")
    bot.react_to(kept)

    bot.react_to(bot.delete_branch("dev"))

    assert bot.served_at("dev") is None
    assert bot.served_at("main") == kept.after
    assert len(bot.target.deployments) == 1


def test_what_a_running_build_made_goes_with_its_branch(bot: BotInMemory) -> None:
    bot.deliver(bot.push("dev"))
    bot.decide_all()
    bot.react_to(bot.delete_branch("dev"))

    assert bot.target.deployments == {}


def test_a_platform_that_is_away_is_waited_for_to_remove_a_preview(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.target.unavailable_calls = 3

    key = bot.react_to(bot.delete_branch("dev"))

    assert bot.reason(key) == "branch-deleted"
    assert bot.target.deployments == {}


def test_a_platform_that_stays_away_does_not_hold_up_the_repository(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.target.unavailable_calls = 100

    key = bot.react_to(bot.delete_branch("dev"))

    assert bot.reason(key) == "branch-deleted"
    bot.target.unavailable_calls = 0
    push = bot.push("main")
    bot.react_to(push)
    assert bot.served_at("main") == push.after


def test_a_branch_that_is_made_again_gets_its_preview_back(bot: BotInMemory) -> None:
    push = bot.push("dev")
    bot.react_to(push)
    bot.react_to(bot.delete_branch("dev"))
    bot.source.force(REPOSITORY, "dev", push.after)

    bot.react_to(push)

    assert [deployment.state for deployment in bot.deployments()] == ["live", "live"]
