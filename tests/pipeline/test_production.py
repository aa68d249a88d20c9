"""Production: what the default branch, a promotion or a rollback puts under the app's own name."""

import pytest

from bot.core.model.checks import Button
from bot.core.model.environment import Context
from bot.core.model.events import CheckSuiteRerequested
from bot.core.model.ids import CommitSha, HostLabel, Login
from bot.core.model.lines import PRODUCTION
from bot.core.model.preview import Deployment, DeploymentState, Stage
from bot.core.model.pulls import Permission
from bot.core.model.variables import Scope
from tests.fakes.source import Files
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

CONFIG = ".github/previewbot.yml"
ENABLED: Files = {**APP, CONFIG: b"production: true\n"}
ADA, MAX = Login("ada"), Login("max")


@pytest.fixture
def bot() -> BotInMemory:
    bot = BotInMemory()
    bot.forge.roles = {ADA: Permission.WRITE, MAX: Permission.MAINTAIN}
    for context in (Context.PREVIEW, Context.PRODUCTION):
        bot.variables.put(REPOSITORY.id, Scope(context=context), "WHERE", str(context))
    bot.variables.put(REPOSITORY.id, Scope(context=Context.PREVIEW), "ONLY_PREVIEW", "x")
    return bot


def in_production(bot: BotInMemory) -> CommitSha | None:
    bound = bot.target.bindings.get(HostLabel("hello"))
    return None if bound is None else bound.revision


def given_in_production(bot: BotInMemory) -> dict[str, str]:
    """Return the variables of what the app's own name serves."""
    bound = bot.target.bindings[HostLabel("hello")]
    return bot.target.deployments[bound.deployment].order.environment.values()


def test_a_push_to_the_default_branch_goes_to_production_with_its_variables(
    bot: BotInMemory,
) -> None:
    push = bot.push("main", ENABLED)

    bot.react_to(push)

    names = sorted(check.name for check in bot.forge.latest().values())
    assert in_production(bot) == bot.served_at("main") == push.after
    assert given_in_production(bot) == {"WHERE": "production"}
    assert names == ["preview/hello", "production/hello"]


def test_other_branches_and_repositories_without_the_key_have_none(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main"))
    bot.react_to(bot.push("dev", ENABLED))

    assert in_production(bot) is None


def test_a_redelivered_push_deploys_production_once(bot: BotInMemory) -> None:
    push = bot.push("main", ENABLED)
    bot.react_to(push)

    again = bot.react_to(push)

    assert bot.reason(again) == "already-handled"
    assert len(bot.target.made) == 2


@pytest.fixture
def promotable(bot: BotInMemory) -> BotInMemory:
    """Return the bot with a production, and a live branch `dev` with its pull request."""
    bot.react_to(bot.push("main", ENABLED))
    bot.react_to(bot.push("dev", {**ENABLED, "n": b"2"}))
    bot.react_to(bot.open_pull("dev"))
    return bot


def test_a_promoted_preview_runs_with_productions_variables_only(promotable: BotInMemory) -> None:
    asked = promotable.comment(MAX, "/preview promote")

    promotable.react_to(asked)

    assert promotable.reactions(asked) == ["eyes", "rocket"]
    assert in_production(promotable) == promotable.served_at("dev")
    assert given_in_production(promotable) == {"WHERE": "production"}


def test_a_promotion_holds_until_the_default_branch_moves(promotable: BotInMemory) -> None:
    main = promotable.source.head(REPOSITORY, REPOSITORY.default_branch)
    promotable.react_to(promotable.comment(MAX, "/preview promote"))
    assert main is not None

    promotable.react_to(promotable.force_push("main", main))
    held = in_production(promotable)
    newer = promotable.push("main", {**ENABLED, "n": b"3"})
    promotable.react_to(newer)

    assert held == promotable.served_at("dev")
    assert in_production(promotable) == newer.after


def test_who_may_only_write_promotes_nothing(promotable: BotInMemory) -> None:
    before = in_production(promotable)

    key = promotable.react_to(promotable.comment(ADA, "/preview promote"))

    assert promotable.reason(key) == "right-missing"
    assert in_production(promotable) == before


def test_the_buttons_of_production_take_the_maintain_role(promotable: BotInMemory) -> None:
    production = next(one for one in promotable.deployments() if one.preview.name == "production")

    refused = promotable.react_to(promotable.press(ADA, Button.DESTROY, production))
    obeyed = promotable.react_to(promotable.press(MAX, Button.REDEPLOY, production))

    assert promotable.reason(refused) == "right-missing"
    assert promotable.reason(obeyed) == "deploy"
    assert in_production(promotable) == promotable.served_at("main")


def test_whoever_lost_the_maintain_role_meanwhile_redeploys_no_production(
    promotable: BotInMemory,
) -> None:
    production = next(one for one in promotable.deployments() if one.preview.name == "production")
    attempts = len(promotable.deployments())
    promotable.deliver(promotable.press(MAX, Button.REDEPLOY, production))
    promotable.decide_all()
    promotable.forge.roles[MAX] = Permission.WRITE

    promotable.deploy_all()

    [redeployed] = promotable.deployments()[attempts:]
    assert redeployed.state is DeploymentState.SUPERSEDED
    assert "maintain role" in promotable.forge.latest()[redeployed.id].title


@pytest.mark.parametrize(
    ("sender", "redeployed"), [(ADA, {"main"}), (MAX, {"main", "production"})]
)
def test_re_run_of_all_checks_deploys_production_for_those_who_may(
    bot: BotInMemory, sender: Login, redeployed: set[str]
) -> None:
    push = bot.push("main", ENABLED)
    bot.react_to(push)
    before = len(bot.deployments())

    bot.react_to(CheckSuiteRerequested(repository=REPOSITORY, head=push.after, sender=sender))

    assert {one.preview.name for one in bot.deployments()[before:]} == redeployed


def test_without_a_production_there_is_nothing_to_promote_to(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main"))
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))

    key = bot.react_to(bot.comment(MAX, "/preview promote"))

    assert bot.reason(key) == "command-pointless"
    assert "production: true" in bot.replies()[0].replace("\\", "")


def test_a_fork_is_never_promoted(promotable: BotInMemory) -> None:
    promotable.push_to_fork("dev", ENABLED)
    promotable.react_to(promotable.open_pull("dev", number=2, author="eve", fork=True))
    approval = f"/preview approve {promotable.pull(2).head}"
    promotable.react_to(promotable.comment(MAX, approval, 2))
    before = in_production(promotable)

    key = promotable.react_to(promotable.comment(MAX, "/preview promote", 2))

    assert promotable.reason(key) == "command-pointless"
    assert in_production(promotable) == before


def attempts_of_production(bot: BotInMemory) -> list[Deployment]:
    return [each for each in bot.deployments() if each.preview.line == PRODUCTION]


def test_a_build_that_breaks_leaves_production_as_it_was(bot: BotInMemory) -> None:
    first = bot.push("main", ENABLED)
    bot.react_to(first)
    bot.target.all_mute = True

    bot.react_to(bot.push("main", {**ENABLED, "n": b"2"}))

    assert attempts_of_production(bot)[-1].state is DeploymentState.FAILED
    assert in_production(bot) == first.after


def test_the_skip_marker_keeps_production_as_it_was(bot: BotInMemory) -> None:
    first = bot.push("main", ENABLED)
    bot.react_to(first)

    bot.react_to(bot.push("main", {**ENABLED, "n": b"2"}, message="[skip deploy]"))

    assert in_production(bot) == first.after


def test_what_goes_to_production_is_named_by_its_digest(promotable: BotInMemory) -> None:
    promotable.react_to(promotable.comment(MAX, "/preview promote"))

    live = attempts_of_production(promotable)[-1]
    stages = {each.stage: each.detail for each in promotable.store.stages(live.id)}
    digest = promotable.source.manifest(REPOSITORY, live.head).digest()
    assert stages[Stage.MANIFEST] == f"4 files, SHA-256 {digest}"


def test_a_preview_that_went_back_is_promoted_with_what_it_serves(
    promotable: BotInMemory,
) -> None:
    earlier = promotable.served_at("dev")
    promotable.react_to(promotable.push("dev", {**ENABLED, "n": b"3"}))
    promotable.react_to(promotable.comment(MAX, "/preview rollback"))

    promotable.react_to(promotable.comment(MAX, "/preview promote"))

    assert in_production(promotable) == promotable.served_at("dev") == earlier
    assert given_in_production(promotable) == {"WHERE": "production"}


def test_a_lock_keeps_production_as_it_is(promotable: BotInMemory) -> None:
    before = in_production(promotable)
    promotable.push("main", {**ENABLED, CONFIG: b"production: true\nlocked: moving house\n"})

    key = promotable.react_to(promotable.comment(MAX, "/preview promote"))

    assert promotable.reason(key) == "locked"
    assert in_production(promotable) == before


def test_a_change_is_compared_with_what_is_in_production(bot: BotInMemory) -> None:
    files = {**ENABLED, CONFIG: b"production: true\npaths: [main.ts]\n"}
    bot.react_to(bot.push("main", files))
    bot.react_to(bot.push("dev", {**files, "main.ts": b"promoted"}))
    bot.react_to(bot.open_pull("dev"))
    bot.react_to(bot.comment(MAX, "/preview promote"))

    push = bot.push("main", {**files, "words.md": b"1"})
    bot.react_to(push)

    assert in_production(bot) == push.after
    assert bot.served_at("main") != push.after


def test_one_apps_production_is_not_the_others(bot: BotInMemory) -> None:
    web = b"  - name: web\n    root: web\n    production: true\n"
    docs = b"  - name: docs\n    root: d\n"
    files = {CONFIG: b"apps:\n" + web + docs, "web/main.ts": b"1", "d/index.html": b"2"}

    bot.react_to(bot.push("main", files))

    (live,) = attempts_of_production(bot)
    assert live.url == "https://hello-web.preview.test"
    assert HostLabel("hello-docs") not in bot.target.bindings


def test_production_is_no_preview_to_be_counted(bot: BotInMemory) -> None:
    files = {**ENABLED, CONFIG: b"production: true\nmax-previews: 1\n"}
    main = bot.push("main", files)
    bot.react_to(main)

    bot.react_to(bot.push("dev", files))

    assert in_production(bot) == main.after


def test_a_domain_that_is_not_proven_yet_is_a_warning(bot: BotInMemory) -> None:
    text = b"production: true\nproduction-domain: app.example.com\n"
    bot.react_to(bot.push("main", {**APP, CONFIG: text}))
    warned = bot.forge.latest()[attempts_of_production(bot)[-1].id]
    bot.target.published.add("app.example.com")

    push = bot.push("main", {**APP, CONFIG: text, "n": b"2"})
    bot.react_to(push)

    assert ["_acme-challenge.app.example.com" in note.message for note in warned.annotations] == [
        True
    ]
    assert bot.target.domains["app.example.com"].revision == push.after
