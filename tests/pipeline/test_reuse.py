"""Commits that change nothing about an app: what is live serves them, and nothing is built."""

import pytest

from bot.core.model.checks import Button
from bot.core.model.environment import Context
from bot.core.model.ids import Login
from bot.core.model.preview import DeploymentState, Stage
from bot.core.model.pulls import Permission
from bot.core.model.variables import Scope
from tests.fakes.source import Files
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

SITE: Files = {
    ".github/previewbot.yml": b"root: site\n",
    "site/main.ts": b"hello",
    "README.md": b"1",
}


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def test_a_commit_that_does_not_touch_the_app_is_served_by_what_is_live(bot: BotInMemory) -> None:
    first = bot.push(files=SITE)
    bot.react_to(first)

    second = bot.push(files={**SITE, "README.md": b"2"})
    bot.react_to(second)

    old, new = bot.deployments()
    check = bot.forge.latest()[new.id]
    assert len(bot.target.creates) == 1
    assert bot.served_at("main") == second.after
    assert (new.state, new.target_id) == (DeploymentState.LIVE, old.target_id)
    assert check.title == f"Live: unchanged since {first.after[:7]}, so nothing was built"
    assert f"`{first.after}`, which was live already" in check.summary
    assert new.deployment_url == f"https://hello-d-{new.id}.preview.test"


def test_the_stages_say_so(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=SITE))
    bot.react_to(bot.push(files={**SITE, "README.md": b"2"}))

    stages = {each.stage: each.detail for each in bot.store.stages(bot.deployments()[-1].id)}
    assert "unchanged since" in stages[Stage.UPLOAD]
    assert Stage.MANIFEST not in stages


def test_what_was_taken_over_may_be_taken_over_again(bot: BotInMemory) -> None:
    pushes = [bot.push(files=SITE)]
    bot.react_to(pushes[-1])
    for text in (b"2", b"3"):
        pushes.append(bot.push(files={**SITE, "README.md": text}))
        bot.react_to(pushes[-1])

    assert len(bot.target.creates) == 1
    assert bot.served_at("main") == pushes[-1].after


@pytest.mark.parametrize(
    "changed",
    [
        {"site/main.ts": b"other"},
        {".github/previewbot.yml": b"root: site\ninstall: npm ci\n"},
        {".github/previewbot.yml": b"root: site\nexclude: ['*.md']\n"},
    ],
)
def test_another_tree_or_recipe_is_built(bot: BotInMemory, changed: Files) -> None:
    bot.react_to(bot.push(files=SITE))

    bot.react_to(bot.push(files={**SITE, **changed}))

    assert len(bot.target.creates) == 2


def test_another_variable_is_built(bot: BotInMemory) -> None:
    preview = Scope(context=Context.PREVIEW)
    bot.variables.put(REPOSITORY.id, preview, "A", "1")
    bot.react_to(bot.push(files=SITE))
    bot.variables.put(REPOSITORY.id, preview, "A", "2")

    bot.react_to(bot.push(files={**SITE, "README.md": b"2"}))

    newest = bot.target.deployments[bot.target.by_key[bot.deployments()[-1].id]]
    assert newest.order.environment.values() == {"A": "2"}


def test_a_variable_of_productions_changes_no_preview(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=SITE))
    bot.variables.put(REPOSITORY.id, Scope(context=Context.PRODUCTION), "A", "2")

    bot.react_to(bot.push(files={**SITE, "README.md": b"2"}))

    assert len(bot.target.creates) == 1


def test_another_version_of_the_platform_builds_anew(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=SITE))
    bot.runtime = "deno 3"

    bot.react_to(bot.push(files={**SITE, "README.md": b"2"}))

    assert len(bot.target.creates) == 2


def test_another_branch_makes_its_own(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=SITE))

    bot.react_to(bot.push("dev", files=SITE))

    assert len(bot.target.creates) == 2


def test_a_person_who_asks_gets_a_new_one(bot: BotInMemory) -> None:
    push = bot.push(files=SITE)
    bot.react_to(push)

    bot.forge.roles = {Login("ada"): Permission.WRITE}
    bot.react_to(bot.press("ada", Button.REDEPLOY, bot.deployments()[-1]))

    assert len(bot.target.creates) == 2
    assert bot.served_at("main") == push.after


def test_what_the_platform_lost_is_made_anew(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=SITE))
    (gone,) = bot.target.deployments
    bot.target.cancel(gone)

    push = bot.push(files={**SITE, "README.md": b"2"})
    bot.react_to(push)

    assert bot.served_at("main") == push.after
    assert len(bot.target.creates) == 2


def test_giving_up_what_was_taken_over_leaves_what_is_live(bot: BotInMemory) -> None:
    first = bot.push(files=SITE)
    bot.react_to(first)
    bot.deliver(bot.push(files={**SITE, "README.md": b"2"}))
    bot.decide_all()
    bot.push(files={**SITE, "README.md": b"3"})  # nobody has told us yet

    bot.deploy_all()

    assert bot.deployments()[-1].state is DeploymentState.SUPERSEDED
    assert bot.served_at("main") == first.after


def test_a_failed_build_is_tried_again(bot: BotInMemory) -> None:
    bot.target.all_mute = True
    bot.react_to(bot.push(files=APP))
    bot.target.all_mute = False

    push = bot.push(files=APP)
    bot.react_to(push)

    assert len(bot.target.creates) == 2
    assert bot.served_at("main") == push.after
