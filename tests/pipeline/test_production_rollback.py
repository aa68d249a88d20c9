"""Going back in production: by a comment or by the button, to what was built for it before."""

import pytest

from bot.core.model.checks import Button, Check, Conclusion
from bot.core.model.environment import Context
from bot.core.model.ids import CommitSha, HostLabel, Login
from bot.core.model.lines import PRODUCTION
from bot.core.model.preview import Deployment
from bot.core.model.pulls import Permission
from bot.core.model.surfaces import ShownState
from bot.core.model.variables import Scope
from tests.fakes.source import Files
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

DOMAIN = "app.example.com"
CONFIG = ".github/previewbot.yml"
ENABLED: Files = {**APP, CONFIG: f"production: true\nproduction-domain: {DOMAIN}\n".encode()}
ADA, MAX = Login("ada"), Login("max")


@pytest.fixture
def bot() -> BotInMemory:
    """Return the bot with two commits that went to production, and a live branch `dev`."""
    bot = BotInMemory()
    bot.target.published.add(DOMAIN)
    bot.forge.roles = {ADA: Permission.WRITE, MAX: Permission.MAINTAIN}
    for context in (Context.PREVIEW, Context.PRODUCTION):
        bot.variables.put(REPOSITORY.id, Scope(context=context), "WHERE", str(context))
    bot.react_to(bot.push("main", ENABLED))
    bot.react_to(bot.push("main", {**ENABLED, "n": b"2"}))
    bot.react_to(bot.push("dev", {**ENABLED, "n": b"3"}))
    bot.react_to(bot.open_pull("dev"))
    return bot


def production(bot: BotInMemory) -> list[Deployment]:
    """Return all attempts in production, oldest first."""
    return [each for each in bot.deployments() if each.preview.line == PRODUCTION]


def served(bot: BotInMemory) -> CommitSha:
    return bot.target.bindings[HostLabel("hello")].revision


def check_of(bot: BotInMemory, attempt: Deployment) -> Check:
    return bot.forge.of(attempt.id)[-1]


def test_a_comment_brings_back_what_production_served_before(bot: BotInMemory) -> None:
    first, second = production(bot)
    previews = (bot.served_at("main"), bot.served_at("dev"))
    made = len(bot.target.made)
    asked = bot.comment(MAX, "/preview rollback production")

    bot.react_to(asked)

    assert bot.reactions(asked) == ["eyes", "rocket"]
    assert served(bot) == first.head != second.head
    assert (bot.served_at("main"), bot.served_at("dev")) == previews
    assert len(bot.target.made) == made  # the pointer moved, nothing was built


def test_what_runs_after_it_has_productions_variables_only(bot: BotInMemory) -> None:
    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    bound = bot.target.bindings[HostLabel("hello")]
    given = bot.target.deployments[bound.deployment].order.environment.values()
    assert given == {"WHERE": "production"}


def test_productions_own_domain_goes_with_it(bot: BotInMemory) -> None:
    first, _ = production(bot)

    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    assert bot.target.domains[DOMAIN].revision == first.head


def test_the_checks_and_the_deployments_of_both_commits_say_so(bot: BotInMemory) -> None:
    first, second = production(bot)

    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    back = production(bot)[-1]
    left = check_of(bot, second)
    assert (back.head, check_of(bot, back).conclusion) == (first.head, Conclusion.SUCCESS)
    assert left.title == f"Rolled back: {first.head[:7]} is served instead"
    assert "- Production: <https://hello.preview.test>" in left.summary
    assert bot.forge.deployments()[second.id].state is ShownState.INACTIVE
    shown = bot.forge.deployments()[back.id]
    assert (shown.state, shown.environment) == (ShownState.SUCCESS, "production")


def test_the_button_on_what_is_served_does_the_same(bot: BotInMemory) -> None:
    first, second = production(bot)
    assert check_of(bot, second).buttons == (Button.REDEPLOY, Button.ROLLBACK, Button.DESTROY)

    bot.react_to(bot.press(MAX, Button.ROLLBACK, second))

    assert served(bot) == first.head


def test_the_button_on_what_is_not_served_any_more_does_nothing(bot: BotInMemory) -> None:
    first, second = production(bot)

    key = bot.react_to(bot.press(MAX, Button.ROLLBACK, first))

    assert bot.reason(key) == "check-stale"
    assert bot.inbox.records[key].detail == (
        f"{first.head[:7]} is not what production serves any more"
    )
    assert served(bot) == second.head


def test_it_holds_until_the_default_branch_moves(bot: BotInMemory) -> None:
    first, second = production(bot)
    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    bot.react_to(bot.force_push("main", second.head))
    held = served(bot)
    newer = bot.push("main", {**ENABLED, "n": b"4"})
    bot.react_to(newer)

    assert (held, served(bot)) == (first.head, newer.after)


def test_redeploying_production_ends_it(bot: BotInMemory) -> None:
    _, second = production(bot)
    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    bot.react_to(bot.comment(MAX, "/preview redeploy production"))

    assert served(bot) == second.head


def test_a_promotion_can_be_taken_back(bot: BotInMemory) -> None:
    _, second = production(bot)
    bot.react_to(bot.comment(MAX, "/preview promote"))
    promoted = served(bot)

    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    assert (promoted, served(bot)) == (bot.served_at("dev"), second.head)


def test_it_goes_back_by_number_and_by_commit(bot: BotInMemory) -> None:
    first, second = production(bot)
    bot.react_to(bot.push("main", {**ENABLED, "n": b"4"}))

    bot.react_to(bot.comment(MAX, "/preview rollback production 2"))
    two_back = served(bot)
    bot.react_to(bot.comment(MAX, f"/preview rollback production {second.head[:8]}"))

    assert (two_back, served(bot)) == (first.head, second.head)


def test_one_app_of_several_goes_back_alone() -> None:
    bot = BotInMemory()
    bot.forge.roles = {MAX: Permission.MAINTAIN}
    apps = b"apps:\n  - {name: web, root: web, production: true}\n"
    apps += b"  - {name: api, root: api, production: true}\n"
    files: Files = {CONFIG: apps, "web/main.ts": b"1", "api/main.ts": b"1"}
    bot.react_to(bot.push("main", files))
    newer = bot.push("main", {**files, "web/main.ts": b"2", "api/main.ts": b"2"})
    bot.react_to(newer)
    bot.react_to(bot.push("dev", files))
    bot.react_to(bot.open_pull("dev"))

    bot.react_to(bot.comment(MAX, "/preview rollback production/web"))

    revisions = {label: bound.revision for label, bound in bot.target.bindings.items()}
    assert revisions[HostLabel("hello-web")] != newer.after
    assert revisions[HostLabel("hello-api")] == newer.after


def test_it_takes_the_maintain_role(bot: BotInMemory) -> None:
    _, second = production(bot)

    asked = bot.react_to(bot.comment(ADA, "/preview rollback production"))
    pressed = bot.react_to(bot.press(ADA, Button.ROLLBACK, second))

    assert (bot.reason(asked), bot.reason(pressed)) == ("right-missing", "right-missing")
    assert bot.replies()[0].endswith("It needs the maintain role or more, and ada has write.")
    assert served(bot) == second.head


def test_who_lost_the_role_before_it_was_done_does_nothing(bot: BotInMemory) -> None:
    _, second = production(bot)
    bot.deliver(bot.comment(MAX, "/preview rollback production"))
    bot.decide_all()
    bot.forge.roles[MAX] = Permission.WRITE

    bot.deploy_all()

    assert served(bot) == second.head
    assert check_of(bot, production(bot)[-1]).title == (
        "Cancelled: it needs the maintain role, which max has lost"
    )


def test_a_push_that_comes_first_wins(bot: BotInMemory) -> None:
    bot.deliver(bot.comment(MAX, "/preview rollback production"))
    bot.decide_all()
    newer = bot.push("main", {**ENABLED, "n": b"4"})  # nobody has told us yet

    bot.deploy_all()
    bot.react_to(newer)

    assert served(bot) == newer.after


def test_the_comment_may_stand_on_a_pull_request_that_was_merged(bot: BotInMemory) -> None:
    first, _ = production(bot)
    bot.react_to(bot.close_pull(merged=True))

    bot.react_to(bot.comment(MAX, "/preview rollback production"))

    assert served(bot) == first.head


def test_anybody_who_may_read_may_ask_how_production_stands(bot: BotInMemory) -> None:
    bot.react_to(bot.comment("eve", "/preview status production"))

    [reply] = bot.replies()
    assert "https://hello.preview.test" in reply


def test_without_anything_earlier_it_says_so(bot: BotInMemory) -> None:
    key = bot.react_to(bot.comment(MAX, "/preview rollback production 9"))

    assert bot.reason(key) == "command-pointless"
    assert "no such earlier deployment" in bot.replies()[0]


def test_where_nothing_goes_to_production_there_is_nothing_to_deploy_again() -> None:
    bot = BotInMemory()
    bot.forge.roles = {MAX: Permission.MAINTAIN}
    bot.react_to(bot.push("dev"))
    bot.push("main")
    bot.react_to(bot.open_pull("dev"))

    key = bot.react_to(bot.comment(MAX, "/preview redeploy production"))

    assert bot.reason(key) == "command-pointless"
    assert "production: true" in bot.replies()[0].replace("\\", "")


def test_production_that_was_removed_says_how_it_comes_back(bot: BotInMemory) -> None:
    _, second = production(bot)

    bot.react_to(bot.comment(MAX, "/preview destroy production"))

    assert HostLabel("hello") not in bot.target.bindings
    assert check_of(bot, second).summary.startswith(
        "Production was removed, because max removed it.\n\nPress *Redeploy*, comment"
        " `/preview deploy production` on a pull request"
    )
    bot.react_to(bot.comment(MAX, "/preview deploy production"))
    assert served(bot) == second.head
