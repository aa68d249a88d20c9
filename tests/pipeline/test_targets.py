"""Several targets: where each app runs, and that what was made there is found there again."""

from datetime import timedelta

import pytest

from bot.core.model.checks import Check, Conclusion
from bot.core.model.config import Lifetimes
from bot.core.model.ids import CommitSha, HostLabel, Login
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.pulls import Permission
from bot.pipeline.expire import expire
from tests.fakes.source import Files
from tests.fakes.target import FakeTarget
from tests.pipeline.bot_in_memory import APP, BotInMemory, stable_label

CONFIG = ".github/previewbot.yml"
DAY = timedelta(days=1)
MAX = Login("max")
DEV = stable_label("dev")
THERE: Files = {**APP, CONFIG: b"target: hosted\n"}
HERE: Files = {**APP, CONFIG: b"mode: auto\n"}


@pytest.fixture
def hosted() -> FakeTarget:
    return FakeTarget(name="hosted-platform", base="hosted.test")


@pytest.fixture
def bot(hosted: FakeTarget) -> BotInMemory:
    bot = BotInMemory(named={"hosted": hosted})
    bot.forge.roles = {MAX: Permission.MAINTAIN}
    return bot


def newest(bot: BotInMemory) -> Deployment:
    return bot.deployments()[-1]


def newest_check(bot: BotInMemory) -> Check:
    return bot.forge.latest()[newest(bot).id]


def served(target: FakeTarget, label: HostLabel = DEV) -> CommitSha | None:
    bound = target.bindings.get(label)
    return None if bound is None else bound.revision


def moved(bot: BotInMemory) -> tuple[CommitSha, CommitSha]:
    """Let `dev` be deployed to the usual target, and then, by a new commit, to the other one."""
    bot.react_to(bot.push("main", HERE))
    first = bot.push("dev", HERE)
    bot.react_to(first)
    bot.react_to(bot.push("main", THERE))
    second = bot.push("dev", {**THERE, "n": b"2"})
    bot.react_to(second)
    return first.after, second.after


def test_each_app_runs_where_its_entry_says(bot: BotInMemory, hosted: FakeTarget) -> None:
    files: Files = {
        CONFIG: b"""\
apps:
  - {name: web, root: web, target: hosted}
  - {name: docs, root: docs}
""",
        "web/main.ts": b"web",
        "docs/index.html": b"docs",
    }

    push = bot.push(files=files)
    bot.react_to(push)

    assert {one.preview.app: one.target for one in bot.deployments()} == {
        "web": "hosted-platform",
        "docs": "fake",
    }
    assert served(hosted, HostLabel("hello-web--main")) == push.after
    assert served(bot.target, HostLabel("hello-docs--main")) == push.after
    assert len(hosted.made) == len(bot.target.made) == 1
    assert [one.url for one in bot.deployments() if one.preview.app == "web"] == [
        "https://hello-web--main.hosted.test"
    ]


def test_an_entry_that_says_null_goes_back_to_the_usual_one(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    text = b"target: hosted\napps:\n  - {name: web, target: null}\n  - {name: docs}\n"

    bot.react_to(bot.push(files={**APP, CONFIG: text}))

    assert [order.order.project for order in bot.target.made] == ["hello-web"]
    assert [order.order.project for order in hosted.made] == ["hello-docs"]


def test_only_what_the_default_branch_says_counts(bot: BotInMemory, hosted: FakeTarget) -> None:
    bot.react_to(bot.push("main"))
    bot.react_to(bot.push("dev", THERE))

    assert hosted.made == []
    assert served(bot.target) == newest(bot).head
    [remark] = newest_check(bot).annotations
    assert (remark.line, remark.message) == (
        1,
        "target: counts as it stands on the default branch",
    )


def test_a_fork_s_commit_never_runs_on_a_named_target(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    bot.react_to(bot.push("main", THERE))
    head = bot.push_to_fork("dev", {**THERE, "n": b"2"})
    bot.react_to(bot.open_pull("dev", fork=True))

    bot.react_to(bot.comment(MAX, f"/preview approve {head}"))

    assert bot.served_for() == head
    assert [made.order.pull for made in hosted.made] == [None]


def test_a_name_that_the_operator_does_not_have_fails_the_check_at_its_line(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    key = bot.react_to(bot.push(files={**APP, CONFIG: b"mode: auto\ntarget: hostd\n"}))

    check = newest_check(bot)
    assert bot.reason(key) == "configuration-wrong"
    assert check.conclusion is Conclusion.FAILURE
    assert [(each.path, each.line, each.message) for each in check.annotations] == [
        (CONFIG, 2, "target: there is no 'hostd'; there is hosted; did you mean 'hosted'?")
    ]
    assert hosted.made == bot.target.made == []


def test_what_one_target_was_sent_is_not_taken_for_known_by_another(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    moved(bot)

    transfer = newest(bot).transfer
    assert transfer is not None
    # The default branch's preview has brought the rest there before.
    assert transfer.files_sent == 1
    order = hosted.made[-1].order
    assert order.base is not None
    assert order.base.deployment in hosted.deployments


def test_what_is_unchanged_but_for_its_target_is_made_there(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    bot.react_to(bot.push("main", HERE))
    bot.react_to(bot.push("main", THERE))

    assert newest(bot).target == "hosted-platform"
    assert served(hosted, stable_label("main")) == newest(bot).head


def test_the_name_may_come_to_mean_another_platform(bot: BotInMemory, hosted: FakeTarget) -> None:
    bot.react_to(bot.push("main", THERE))
    other = FakeTarget(name="other-platform", base="other.test", clock=bot.clock)
    bot.named["hosted"] = other

    bot.react_to(bot.push("main", {**THERE, "README.md": b"#"}))

    assert len(hosted.made) == len(other.made) == 1
    assert served(other, stable_label("main")) == newest(bot).head


def test_the_url_on_the_target_that_was_left_serves_nothing(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    bot.react_to(bot.push("main", HERE))
    bot.react_to(bot.push("dev", HERE))
    bot.react_to(bot.open_pull("dev"))
    assert served(bot.target, HostLabel("hello--pr-1")) is not None
    bot.react_to(bot.push("main", THERE))

    push = bot.push("dev", {**THERE, "n": b"2"})
    bot.react_to(push)

    for label in (DEV, HostLabel("hello--pr-1")):
        assert served(bot.target, label) is None
        assert served(hosted, label) == push.after


def test_a_target_that_is_left_and_away_does_not_keep_the_new_one_from_being_live(
    bot: BotInMemory,
) -> None:
    bot.react_to(bot.push("main", HERE))
    bot.react_to(bot.push("dev", HERE))
    bot.react_to(bot.push("main", THERE))

    bot.target.unavailable_calls = 10_000
    bot.react_to(bot.push("dev", {**THERE, "n": b"2"}))

    assert newest(bot).state is DeploymentState.LIVE


def test_a_rollback_goes_back_to_where_the_earlier_one_runs(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    first, _ = moved(bot)
    bot.react_to(bot.open_pull("dev"))

    bot.react_to(bot.comment(MAX, "/preview rollback"))

    assert newest(bot).state is DeploymentState.LIVE
    assert newest(bot).target == "fake"
    assert newest(bot).url == f"https://{DEV}.preview.test"
    assert served(bot.target) == first
    assert served(hosted) is None


def test_a_rollback_to_a_target_that_is_gone_says_so(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main", THERE))
    bot.react_to(bot.push("dev", THERE))
    bot.react_to(bot.open_pull("dev"))
    bot.named.clear()
    bot.react_to(bot.push("main", HERE))
    bot.react_to(bot.push("dev", {**HERE, "n": b"2"}))
    now = served(bot.target)

    bot.react_to(bot.comment(MAX, "/preview rollback"))

    check = newest_check(bot)
    assert check.conclusion is Conclusion.FAILURE
    assert "the target 'hosted-platform' is not configured" in check.summary
    assert served(bot.target) == now == newest_live(bot)


def newest_live(bot: BotInMemory) -> CommitSha:
    return [one.head for one in bot.deployments() if one.state is DeploymentState.LIVE][-1]


def test_a_promotion_runs_where_the_preview_was_made(bot: BotInMemory, hosted: FakeTarget) -> None:
    elsewhere: Files = {**APP, CONFIG: b"production: true\ntarget: hosted\n"}
    bot.react_to(bot.push("main", elsewhere))
    bot.react_to(bot.push("dev", {**elsewhere, "n": b"2"}))
    bot.react_to(bot.open_pull("dev"))
    promoted = newest_live(bot)
    bot.push("main", {**APP, CONFIG: b"production: true\n"})

    bot.react_to(bot.comment(MAX, "/preview promote"))

    assert newest(bot).state is DeploymentState.LIVE
    assert newest(bot).target == "hosted-platform"
    assert len(hosted.redeploys) == 1
    assert served(hosted, HostLabel("hello")) == promoted


def test_the_end_of_a_branch_removes_what_is_on_every_target(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    moved(bot)
    on_main = [one.id for one in hosted.made[:1]]

    bot.react_to(bot.delete_branch("dev"))

    assert list(hosted.deployments) == on_main
    assert {each.order.branch for each in bot.target.deployments.values()} == {"main"}


def test_one_target_that_is_gone_keeps_no_other_from_being_cleaned(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    moved(bot)
    bot.named.clear()
    still_there = len(hosted.deployments)

    bot.react_to(bot.delete_branch("dev"))

    assert len(hosted.deployments) == still_there
    assert {each.order.branch for each in bot.target.deployments.values()} == {"main"}


def test_visitors_are_asked_for_where_the_preview_runs(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    bot.lifetimes = Lifetimes(idle=DAY)
    moved(bot)
    made = newest(bot).target_id
    assert made is not None
    bot.clock.move(2 * DAY)
    hosted.visited_at[made] = bot.clock.now()

    assert expire(bot.services(), bot.inbox) == 0
    bot.clock.move(2 * DAY)
    assert expire(bot.services(), bot.inbox) == 1


def test_what_never_got_an_answer_is_removed_where_it_began(
    bot: BotInMemory, hosted: FakeTarget
) -> None:
    bot.react_to(bot.push("main", THERE))
    hosted.unavailable_calls = 10_000
    bot.react_to(bot.push("dev", {**THERE, "n": b"2"}))
    assert newest(bot).target_id is None
    bot.target.unavailable_calls, hosted.unavailable_calls = 1_000, 2

    bot.react_to(bot.delete_branch("dev"))

    assert newest(bot).target == "hosted-platform"
    # Nobody asked the other one.
    assert bot.target.unavailable_calls == 1_000
