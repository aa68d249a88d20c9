"""GitHub's Deployments of the whole bot in memory: what stands is what the record says."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from typing_extensions import override

from bot.adapters.engine.memory import MemoryJournal, Steps
from bot.core.decide.names import pull_label
from bot.core.model.events import PullRequestOpened
from bot.core.model.ids import AppSlug, Branch, DeploymentId, Login, PullNumber
from bot.core.model.preview import DeploymentState
from bot.core.model.pulls import PullRequest, PullState
from bot.core.model.surfaces import (
    News,
    Showing,
    ShownDeployment,
    ShownState,
    StickyComment,
    Surface,
)
from bot.pipeline.surfaces import REMOVED, show
from tests.fakes.forge import FakeForge
from tests.fakes.journal import Killed, MortalJournal
from tests.fakes.source import Files
from tests.fakes.target import BREAKS
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def states(bot: BotInMemory) -> list[str]:
    """Return how each deployment stands, oldest first."""
    return [str(shown.state) for shown in bot.forge.deployments().values()]


def changed(text: str) -> Files:
    return {**APP, "main.ts": text.encode()}


def test_a_live_preview_is_a_deployment_of_its_branch_with_its_url(bot: BotInMemory) -> None:
    push = bot.push()

    bot.react_to(push)

    [shown] = bot.forge.deployments().values()
    [deployment] = bot.deployments()
    assert (shown.ref, shown.head, shown.environment) == ("main", push.after, "preview")
    assert shown.state is ShownState.SUCCESS
    assert shown.environment_url == deployment.url
    assert shown.log_url == f"https://bot.test/deployments/{deployment.id}"


def test_a_newer_one_takes_the_place_of_the_older(bot: BotInMemory) -> None:
    bot.react_to(bot.push())

    bot.react_to(bot.push(files=changed("2")))

    assert states(bot) == ["inactive", "success"]


def test_a_failure_leaves_the_one_that_still_serves(bot: BotInMemory) -> None:
    bot.react_to(bot.push())

    bot.react_to(bot.push(files={**APP, "main.ts": BREAKS}))

    assert states(bot) == ["success", "failure"]
    assert [s.environment_url for s in bot.forge.deployments().values()][1] is None


def test_branches_do_not_retire_each_other(bot: BotInMemory) -> None:
    bot.react_to(bot.push())

    bot.react_to(bot.push("feature"))

    assert states(bot) == ["success", "success"]


def test_an_attempt_that_never_began_leaves_no_deployment(bot: BotInMemory) -> None:
    bot.deliver(bot.push())
    bot.decide_all()
    bot.deliver(bot.push(files=changed("2")))
    bot.decide_all()

    bot.deploy_all()

    assert states(bot) == ["success"]


def test_a_deleted_branch_leaves_nothing_active(bot: BotInMemory) -> None:
    bot.react_to(bot.push("feature"))

    bot.react_to(bot.delete_branch("feature"))

    assert states(bot) == ["inactive"]
    [shown] = bot.forge.deployments().values()
    assert shown.description == "The preview was removed"
    assert bot.forge.removed_environments == []


def test_an_environment_of_one_preview_goes_with_it() -> None:
    bot = BotInMemory(showing=Showing(environment="{app}/{preview}"))
    bot.react_to(bot.push("feature"))
    bot.react_to(bot.push("feature", files=changed("2")))
    assert {s.environment for s in bot.forge.deployments().values()} == {"hello/feature"}

    bot.react_to(bot.delete_branch("feature"))

    assert bot.forge.removed_environments == ["hello/feature"]
    assert bot.forge.deployments() == {}


def test_an_environment_with_many_deployments_goes_with_all_of_them() -> None:
    bot = BotInMemory(showing=Showing(environment="{app}/{preview}"))
    for number in range(REMOVED + 2):
        bot.react_to(bot.push("feature", files=changed(str(number))))
    assert len(bot.forge.deployments()) == REMOVED + 2

    bot.react_to(bot.delete_branch("feature"))

    assert bot.forge.deployments() == {}
    assert bot.forge.removed_environments == ["hello/feature"] * 2


def test_a_surface_that_is_switched_off_is_left_alone() -> None:
    bot = BotInMemory(showing=Showing(surfaces=frozenset({Surface.DEPLOYMENT})))
    bot.react_to(bot.push())
    assert (bot.forge.history, states(bot)) == ([], ["success"])

    bot = BotInMemory(showing=Showing(surfaces=frozenset({Surface.CHECK})))
    bot.react_to(bot.push())
    assert (len(bot.forge.latest()), states(bot)) == (1, [])


def test_a_repository_chooses_its_own_surfaces(bot: BotInMemory) -> None:
    config = b"surfaces: [check, comment]\n"

    bot.react_to(bot.push(files={**APP, ".github/previewbot.yml": config}))

    assert (len(bot.forge.latest()), states(bot)) == (1, [])


def test_showing_again_what_stands_writes_nothing(bot: BotInMemory) -> None:
    bot.react_to(bot.push())
    before = list(bot.forge.shown)

    show(bot.deployments()[0].id, bot.services(), MemoryJournal(bot.clock))

    assert bot.forge.shown == before


# --- news for workflows --------------------------------------------------------------------------


def telling() -> BotInMemory:
    return BotInMemory(showing=Showing(surfaces=frozenset({Surface.DISPATCH})))


def test_workflows_are_told_where_a_ready_preview_is() -> None:
    bot = telling()
    push = bot.push()

    bot.react_to(push)

    [notice] = bot.forge.told
    [deployment] = bot.deployments()
    assert notice.news is News.READY
    assert notice.facts == {
        "deployment": deployment.id,
        "app": "hello",
        "branch": "main",
        "pull": None,
        "sha": push.after,
        "url": deployment.url,
        "deployment_url": deployment.deployment_url,
        "page_url": f"https://bot.test/deployments/{deployment.id}",
        "title": deployment.title,
    }


def test_workflows_are_told_of_a_failure_and_of_the_end() -> None:
    bot = telling()
    bot.react_to(bot.push("feature"))
    bot.react_to(bot.push("feature", files={**APP, "main.ts": BREAKS}))

    bot.react_to(bot.delete_branch("feature"))

    told = [(str(notice.news), notice.deployment) for notice in bot.forge.told]
    first, second = bot.deployments()
    assert told == [
        ("previewbot.ready", first.id),
        ("previewbot.failed", second.id),
        ("previewbot.removed", first.id),
    ]


def test_nobody_is_told_twice_nor_of_what_was_superseded() -> None:
    bot = telling()
    bot.deliver(bot.push())
    bot.decide_all()
    bot.deliver(bot.push(files=changed("2")))
    bot.decide_all()
    bot.deploy_all()
    newest = bot.deployments()[-1]

    show(newest.id, bot.services(), MemoryJournal(bot.clock))

    assert [notice.deployment for notice in bot.forge.told] == [newest.id]


# --- the comment of a pull request ---------------------------------------------------------------


def commenting(forge: FakeForge | None = None) -> BotInMemory:
    showing = Showing(surfaces=frozenset({Surface.COMMENT}))
    return BotInMemory(forge=forge or FakeForge(), showing=showing)


def pull_from(bot: BotInMemory, branch: str, state: PullState = PullState.OPEN) -> PullRequest:
    """Let the bot know a pull request of `branch` as it stands now."""
    head = bot.source.head(REPOSITORY, Branch(branch))
    assert head is not None
    pull = PullRequest(
        number=PullNumber(7),
        state=state,
        author=Login("ada"),
        author_is_bot=False,
        head=head,
        head_branch=Branch(branch),
        head_repository=REPOSITORY.id,
        base_branch=Branch("main"),
    )
    bot.pulls.record(REPOSITORY.id, pull)
    return pull


def the_comment(bot: BotInMemory) -> str:
    [comment] = bot.forge.comments.values()
    assert (comment.pull, comment.body.startswith(comment.marker)) == (7, True)
    return comment.body.splitlines()[-1]


def test_a_pull_request_has_one_comment_that_follows_its_preview() -> None:
    bot = commenting()
    push = bot.push("feature")
    pull_from(bot, "feature")

    bot.react_to(push)
    live = the_comment(bot)
    bot.react_to(bot.push("feature", files={**APP, "main.ts": BREAKS}))
    broken = the_comment(bot)

    first, second = bot.deployments()
    url = bot.target.url(pull_label(AppSlug("hello"), PullNumber(7)))
    assert f"<{url}> | `{first.head[:7]}` | Live" in live
    assert f"<{url}> (still `{first.head[:7]}`) | `{second.head[:7]}` |" in broken


def test_a_branch_without_a_pull_request_gets_no_comment() -> None:
    bot = commenting()

    bot.react_to(bot.push("feature"))

    assert bot.forge.comments == {}


def test_comments_are_off_unless_asked_for(bot: BotInMemory) -> None:
    push = bot.push("feature")
    pull_from(bot, "feature")

    bot.react_to(push)

    assert bot.forge.comments == {}


def test_a_comment_does_not_promise_what_is_gone() -> None:
    bot = commenting()
    push = bot.push("feature")
    pull_from(bot, "feature")
    bot.react_to(push)

    pull_from(bot, "feature", PullState.MERGED)
    bot.react_to(bot.delete_branch("feature"))

    assert the_comment(bot).endswith("| removed |")


def test_a_closed_pull_request_without_a_comment_gets_none() -> None:
    bot = commenting()
    push = bot.push("feature")
    pull_from(bot, "feature", PullState.CLOSED)

    bot.react_to(push)

    assert bot.forge.comments == {}


def test_the_comment_leads_to_the_pull_requests_own_url() -> None:
    bot = commenting()
    push = bot.push("feature")
    pull_from(bot, "feature")

    bot.react_to(push)

    own = bot.target.url(pull_label(AppSlug("hello"), PullNumber(7)))
    assert f"<{own}>" in the_comment(bot)


def test_a_pull_request_that_is_opened_later_gets_its_comment_then() -> None:
    bot = commenting()
    bot.react_to(bot.push("feature"))
    assert bot.forge.comments == {}
    pull = pull_from(bot, "feature")
    bot.forge.pulls[REPOSITORY.id, pull.number] = pull

    bot.react_to(PullRequestOpened(repository=REPOSITORY, pull=pull))

    assert "| Live: " in the_comment(bot)


def test_nothing_is_written_when_nothing_changed() -> None:
    bot = commenting()
    push = bot.push("feature")
    pull_from(bot, "feature")
    bot.react_to(push)
    writes = bot.forge.comment_writes

    show(bot.deployments()[0].id, bot.services(), MemoryJournal(bot.clock))

    assert bot.forge.comment_writes == writes


def test_an_app_that_finishes_meanwhile_is_in_the_comment_too() -> None:
    @dataclass
    class Overtaken(FakeForge):
        meanwhile: Callable[[], None] | None = None

        @override
        def comment(self, comment: StickyComment, ref: str | None) -> str:
            if self.meanwhile is not None:
                meanwhile, self.meanwhile = self.meanwhile, None
                meanwhile()
            return super().comment(comment, ref)

    forge = Overtaken()
    bot = commenting(forge)
    push = bot.push("feature")
    pull_from(bot, "feature")
    bot.deliver(push)
    bot.decide_all()
    [queued] = bot.inbox.deployments
    services = bot.services()

    def finish() -> None:
        key = DeploymentId(queued.deployment)
        deployment = bot.store.deployment(key)
        bot.store.save(replace(deployment, state=DeploymentState.FAILED, title="Too late"))

    forge.meanwhile = finish
    show(DeploymentId(queued.deployment), services, MemoryJournal(bot.clock))

    assert the_comment(bot).endswith("| Too late |")


# --- crashes -----------------------------------------------------------------------------------


@dataclass
class DeadlyForge(FakeForge):
    """Kills whoever shows a success, before it stands or before that is known; once."""

    before: bool = False
    after: bool = False

    @override
    def show_deployment(self, shown: ShownDeployment, ref: str | None) -> str | None:
        success = shown.state is ShownState.SUCCESS
        if success and self.before:
            self.before = False
            raise Killed("before the status was written")
        made = super().show_deployment(shown, ref)
        if success and self.after:
            self.after = False
            raise Killed("before the answer came")
        return made


def remembering(steps: Steps) -> Steps:
    return steps


def forgetting(_steps: Steps) -> Steps:
    return {}


@pytest.mark.parametrize("memory", [remembering, forgetting])
@pytest.mark.parametrize("point", ["before", "after", "report", "show"])
def test_a_worker_killed_around_the_end_shows_one_deployment_once(
    point: str, memory: Callable[[Steps], Steps]
) -> None:
    forge = DeadlyForge()
    bot = BotInMemory(forge=forge)
    bot.react_to(bot.push())
    forge.before, forge.after = point == "before", point == "after"
    bot.deliver(bot.push(files=changed("2")))
    bot.decide_all()
    queued = bot.inbox.deployments[-1]
    journal = MortalJournal(point, bot.clock)

    with pytest.raises(Killed):
        bot.run_deployment(queued.deployment, journal)
    bot.run_deployment(queued.deployment, MemoryJournal(bot.clock, memory(journal.steps)))

    assert states(bot) == ["inactive", "success"]
    said = [str(shown.state) for shown in forge.shown if shown.deployment == queued.deployment]
    assert said[-1:] == ["success"]
    assert len(said) == len(set(said))


def test_a_branch_deleted_while_its_success_is_being_shown_ends_inactive() -> None:
    @dataclass
    class Interrupted(FakeForge):
        teardown: Callable[[], None] | None = None

        @override
        def show_deployment(self, shown: ShownDeployment, ref: str | None) -> str | None:
            if shown.state is ShownState.SUCCESS and self.teardown is not None:
                teardown, self.teardown = self.teardown, None
                teardown()
            return super().show_deployment(shown, ref)

    forge = Interrupted()
    bot = BotInMemory(forge=forge)
    push = bot.push("feature")

    def tear_down() -> None:
        bot.deliver(bot.delete_branch("feature"))
        bot.decide_all()

    forge.teardown = tear_down
    bot.react_to(push)

    assert states(bot) == ["inactive"]
