"""What a repository says in its configuration, and what becomes of its commits."""

import pytest

from bot.core.model.checks import Check, CheckStatus, Conclusion
from bot.core.model.config import Recipe
from bot.core.model.environment import Context
from bot.core.model.ids import AppName
from bot.core.model.outcomes import Severity
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.variables import Scope
from tests.fakes.source import Files
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

CONFIG = ".github/previewbot.yml"
MONOREPO: Files = {
    CONFIG: b"""\
apps:
  - name: web
    root: apps/web
    paths: [apps/web, packages]
  - name: docs
    root: docs
    paths: [docs]
""",
    "apps/web/main.ts": b"web",
    "docs/index.html": b"docs",
    "packages/ui.ts": b"ui",
}


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def said(text: str, **files: bytes) -> Files:
    return {**APP, CONFIG: text.encode(), **files}


def check_of(bot: BotInMemory, deployment: Deployment) -> Check:
    return bot.forge.latest()[deployment.id]


def newest_check(bot: BotInMemory) -> Check:
    return check_of(bot, bot.deployments()[-1])


def test_a_wrong_file_fails_the_check_at_its_lines(bot: BotInMemory) -> None:
    key = bot.react_to(bot.push(files=said("rots: x\nspa: yes\n")))

    check = bot.the_check()
    assert bot.reason(key) == "configuration-wrong"
    assert check.conclusion is Conclusion.FAILURE
    assert check.title == "The configuration has mistakes"
    assert [(note.path, note.line) for note in check.annotations] == [(CONFIG, 1), (CONFIG, 2)]
    assert "did you mean 'root'?" in check.summary
    assert bot.target.creates == []


def test_a_file_that_is_mended_is_deployed(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=said("rots: x\n")))
    push = bot.push(files=said("root: .\n"))

    bot.react_to(push)

    assert bot.served_at("main") == push.after


def test_a_file_that_is_too_large_to_look_at_is_told(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**APP, CONFIG: b"#" * 2_000_000}))

    assert bot.the_check().conclusion is Conclusion.FAILURE
    assert [note.path for note in bot.the_check().annotations] == [CONFIG]


def test_the_other_ending_of_the_name_is_read_as_well(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**APP, ".github/previewbot.yaml": b"entrypoint: none.ts\n"}))

    assert bot.the_check().title == "The entry point does not exist"


def test_a_recipe_is_followed(bot: BotInMemory) -> None:
    text = "entrypoint: src/serve.ts\ninstall: null\npredeploy: deno task migrate\n"

    bot.react_to(bot.push(files={**said(text), "src/serve.ts": b"2"}))

    (made,) = bot.target.deployments.values()
    assert made.order.entrypoint == "src/serve.ts"
    assert made.order.recipe == Recipe(
        entrypoint="src/serve.ts", install="", predeploy="deno task migrate"
    )


def test_an_entry_point_that_the_build_makes_need_not_be_there(bot: BotInMemory) -> None:
    files = {CONFIG: b"entrypoint: dist/server.js\nbuild: deno task build\n", "a.ts": b"1"}

    bot.react_to(bot.push(files=files))

    (order,) = [made.order for made in bot.target.deployments.values()]
    assert order.entrypoint == "dist/server.js"


def test_deno_json_says_what_belongs_to_the_app_and_that_it_builds(bot: BotInMemory) -> None:
    deno = b'{"deploy": {"build": "deno task build", "exclude": ["**/*.md"]}}'

    bot.react_to(bot.push(files={"deno.json": deno, "README.md": b"1", "src/x.astro": b"2"}))

    (order,) = [made.order for made in bot.target.deployments.values()]
    assert order.deno_json_builds
    assert set(order.manifest.assets) == {"deno.json", "src/x.astro"}


def test_a_wrong_deploy_key_fails_the_check_at_its_line(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**APP, "deno.json": b'{\n"deploy": {"build": 7}}'}))

    check = bot.the_check()
    assert check.title == "The deploy key of deno.json has mistakes"
    assert [(note.path, note.line) for note in check.annotations] == [("deno.json", 2)]


def test_a_deno_json_that_cannot_be_read_is_a_warning(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**APP, "deno.json": b"{'a': 1}"}))

    check = bot.the_check()
    assert check.conclusion is Conclusion.SUCCESS
    assert [note.severity for note in check.annotations] == [Severity.WARNING]


def test_a_branch_decides_its_recipe_and_nothing_else(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=said("skip-labels: [wip]\n")))
    text = "entrypoint: other.ts\nlocked: my turn\n"

    push = bot.push("dev", files={**said(text), "other.ts": b"2"})
    bot.react_to(push)

    check = newest_check(bot)
    assert bot.served_at("dev") == push.after
    assert [(note.line, note.message) for note in check.annotations] == [
        (2, "locked: counts as it stands on the default branch")
    ]


def test_a_branch_that_is_older_than_the_file_is_deployed_by_it(bot: BotInMemory) -> None:
    bot.push(files=said("root: web\n", **{"web/main.ts": b"1"}))

    bot.react_to(bot.push("old", files={"web/main.ts": b"1", "readme": b"x"}))

    (made,) = bot.target.deployments.values()
    assert set(made.order.manifest.assets) == {"main.ts"}


def test_a_wrong_default_branch_blames_no_branch(bot: BotInMemory) -> None:
    bot.push(files=said("rots: x\n"))

    key = bot.react_to(bot.push("mend", files=said("root: .\n")))

    check = bot.the_check()
    assert bot.reason(key) == "configuration-wrong"
    assert check.conclusion is Conclusion.NEUTRAL
    assert "previewbot.yml:1: there is no key 'rots'" in check.summary
    assert check.annotations == ()


@pytest.mark.parametrize(
    ("text", "branch", "message", "reason"),
    [
        ("branches: [main]\n", "dev", "x", "branch-not-wanted"),
        ("locked: moving house\n", "dev", "x", "locked"),
        ("mode: label\n", "dev", "x", "label-missing"),
        ("mode: command\n", "dev", "x", "command-missing"),
        ("mode: manual\n", "main", "x", "manual"),
        ("", "dev", "Fix [skip preview]", "skip-marker"),
    ],
)
def test_a_commit_that_a_rule_keeps_away_says_which(
    bot: BotInMemory, text: str, branch: str, message: str, reason: str
) -> None:
    bot.push(files=said(text))

    key = bot.react_to(bot.push(branch, files=said(text), message=message))

    check = bot.the_check()
    assert bot.reason(key) == reason
    assert check.status is CheckStatus.COMPLETED
    assert check.conclusion is Conclusion.SKIPPED
    assert check.title.startswith("Skipped: ")
    assert f"`{reason}`" in check.summary
    assert [each.state for each in bot.deployments()] == [DeploymentState.SKIPPED]
    assert bot.target.creates == []


def test_a_skipped_commit_leaves_what_is_live(bot: BotInMemory) -> None:
    first = bot.push()
    bot.react_to(first)

    bot.react_to(bot.push(files={**APP, "n": b"2"}, message="Words [skip ci]"))

    assert bot.served_at("main") == first.after


def test_a_skipped_commit_does_not_stop_the_one_before_it(bot: BotInMemory) -> None:
    first = bot.push()
    bot.deliver(first)
    bot.decide_all()
    bot.deliver(bot.push(files={**APP, "n": b"2"}, message="Words [skip ci]"))
    bot.decide_all()

    bot.deploy_all()

    assert bot.served_at("main") == first.after
    assert [each.state for each in bot.deployments()] == [
        DeploymentState.LIVE,
        DeploymentState.SKIPPED,
    ]


def test_a_redelivered_skip_adds_nothing(bot: BotInMemory) -> None:
    push = bot.push(message="[skip ci]")
    bot.react_to(push)

    key = bot.react_to(push)

    assert bot.reason(key) == "already-handled"
    assert len(bot.deployments()) == 1


def test_a_label_lets_a_skipped_pull_request_in(bot: BotInMemory) -> None:
    text = "mode: label\n"
    bot.push(files=said(text))
    push = bot.push("dev", files=said(text))
    bot.react_to(push)
    bot.react_to(bot.open_pull("dev"))

    bot.react_to(bot.label_pull("preview"))

    assert bot.served_at("dev") == push.after
    states = [each.state for each in bot.deployments()]
    assert states[-1] is DeploymentState.LIVE


def test_a_push_to_a_labelled_pull_request_is_deployed(bot: BotInMemory) -> None:
    text = "mode: label\n"
    bot.push(files=said(text))
    bot.react_to(bot.push("dev", files=said(text)))
    bot.react_to(bot.open_pull("dev"))
    bot.react_to(bot.label_pull("preview"))

    push = bot.push("dev", files=said(text, n=b"2"))
    bot.react_to(push)

    assert bot.served_at("dev") == push.after


def test_a_draft_is_deployed_once_it_is_ready(bot: BotInMemory) -> None:
    bot.push(files=said("drafts: false\n"))
    push = bot.push("dev", files=said("drafts: false\n"), message="[skip ci]")
    bot.react_to(push)
    opened = bot.open_pull("dev")
    bot.mark_draft()

    assert bot.reason(bot.react_to(opened)) == "pull-request-shown"
    newer = bot.push("dev", files=said("drafts: false\n", n=b"2"))
    assert bot.reason(bot.react_to(newer)) == "draft"
    assert bot.reason(bot.react_to(bot.mark_ready())) == "deploy"
    assert bot.served_at("dev") == newer.after


def test_a_fork_is_not_deployed_where_forks_never_are(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=said("forks: never\n")))
    bot.push_to_fork("dev")

    key = bot.react_to(bot.open_pull("dev", fork=True))

    assert bot.reason(key) == "forks-not-deployed"
    assert newest_check(bot).conclusion is Conclusion.SKIPPED


def test_a_forks_own_configuration_is_not_looked_at_before_an_approval(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=said("apps:\n  - name: web\n    root: .\n")))
    bot.push_to_fork("dev", files=said("apps: 7"))

    key = bot.react_to(bot.open_pull("dev", fork=True))

    assert bot.reason(key) == "fork-awaits-approval"
    assert bot.deployments()[-1].preview.app == AppName("web")


def test_each_app_has_its_own_check_slug_and_url(bot: BotInMemory) -> None:
    key = bot.react_to(bot.push(files=MONOREPO))

    assert bot.reason(key) == "deploy"
    web, docs = bot.deployments()
    assert [check_of(bot, each).name for each in (web, docs)] == [
        "preview/hello-web",
        "preview/hello-docs",
    ]
    assert web.url == "https://hello-web--main.preview.test"
    assert docs.url == "https://hello-docs--main.preview.test"
    files = [set(made.order.manifest.assets) for made in bot.target.deployments.values()]
    assert files == [{"main.ts"}, {"index.html"}]


def test_only_the_apps_whose_paths_changed_are_deployed(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))

    bot.react_to(bot.push(files={**MONOREPO, "packages/ui.ts": b"ui 2"}))

    web, docs = bot.deployments()[2:]
    assert (web.preview.app, web.state) == (AppName("web"), DeploymentState.LIVE)
    assert (docs.preview.app, docs.state) == (AppName("docs"), DeploymentState.SKIPPED)
    assert "none of `paths` fits what has changed: packages/ui.ts" in docs.title


def test_a_change_that_was_not_deployed_yet_counts_at_the_next_push(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))
    changed = {**MONOREPO, "docs/index.html": b"docs 2"}
    bot.react_to(bot.push(files=changed, message="[skip ci]"))

    bot.react_to(bot.push(files={**changed, "apps/web/main.ts": b"web 2"}))

    states = {each.preview.app: each.state for each in bot.deployments()}
    assert states == {"web": DeploymentState.LIVE, "docs": DeploymentState.LIVE}


def test_a_new_branch_is_compared_with_where_it_began(bot: BotInMemory) -> None:
    main = bot.push(files=MONOREPO)
    bot.react_to(main)

    bot.react_to(bot.push("dev", files={**MONOREPO, "docs/index.html": b"docs 2"}, on=main.after))

    web, docs = bot.deployments()[2:]
    assert web.state is DeploymentState.SKIPPED
    assert docs.state is DeploymentState.LIVE


def test_a_wrong_file_fails_the_check_of_every_app(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))

    bot.react_to(bot.push(files={**MONOREPO, CONFIG: b"apps: 7"}))

    states = [(each.preview.app, each.state) for each in bot.deployments()[2:]]
    assert states == [("web", DeploymentState.FAILED), ("docs", DeploymentState.FAILED)]


def test_an_apps_variables_are_its_own(bot: BotInMemory) -> None:
    for app in (AppName("web"), AppName("docs")):
        bot.variables.put(REPOSITORY.id, Scope(context=Context.PREVIEW, app=app), "APP", app)

    bot.react_to(bot.push(files=MONOREPO))

    given = [made.order.environment.values() for made in bot.target.deployments.values()]
    assert given == [{"APP": "web"}, {"APP": "docs"}]
