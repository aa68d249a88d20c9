"""Whose KV database each deployment gets, where the configuration asks for one."""

import pytest

from bot.core.model.ids import Login
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.pulls import Permission
from tests.fakes.source import Files
from tests.pipeline.bot_in_memory import APP, BotInMemory

CONFIG = ".github/previewbot.yml"
WITH: Files = {**APP, CONFIG: b"database: true\nproduction: true\n"}
MAX = Login("max")


@pytest.fixture
def bot() -> BotInMemory:
    bot = BotInMemory()
    bot.forge.roles = {MAX: Permission.MAINTAIN}
    return bot


def databases(bot: BotInMemory) -> list[tuple[str, str | None]]:
    """Return the preview and the database of everything that was made, oldest first."""
    return [(made.order.branch_app, made.order.environment.database) for made in bot.target.made]


def newest(bot: BotInMemory) -> Deployment:
    return bot.deployments()[-1]


def test_each_preview_has_a_database_of_its_own_and_production_has_another(
    bot: BotInMemory,
) -> None:
    bot.react_to(bot.push("main", WITH))
    bot.react_to(bot.push("dev", WITH))
    bot.react_to(bot.push("dev", {**WITH, "n": b"2"}))

    assert sorted(set(databases(bot))) == [
        ("hello", "hello"),
        ("hello--dev", "hello--dev"),
        ("hello--main", "hello--main"),
    ]


def test_several_apps_of_a_branch_have_one_each_if_they_ask(bot: BotInMemory) -> None:
    text = b"apps:\n  - {name: web, database: true}\n  - {name: api, database: true}\n"
    text += b"  - {name: docs}\n"

    bot.react_to(bot.push("main", {**APP, CONFIG: text}))

    assert [database for _, database in databases(bot)] == [
        "hello-web--main",
        "hello-api--main",
        None,
    ]


def test_nobody_gets_one_who_does_not_ask(bot: BotInMemory) -> None:
    bot.react_to(bot.push())

    assert databases(bot) == [("hello--main", None)]


def test_a_branch_cannot_ask_for_itself(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main"))
    bot.react_to(bot.push("dev", {**APP, CONFIG: b"database: true\n"}))

    assert databases(bot)[-1] == ("hello--dev", None)
    [remark] = bot.forge.latest()[newest(bot).id].annotations
    assert remark.message == "database: counts as it stands on the default branch"


def test_a_fork_gets_none_whatever_was_approved(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main", WITH))
    head = bot.push_to_fork("dev", {**WITH, "n": b"2"})
    bot.react_to(bot.open_pull("dev", fork=True))

    bot.react_to(bot.comment(MAX, f"/preview approve {head}"))

    assert bot.served_for() == head
    assert databases(bot)[-1] == ("hello--pr-1", None)


def test_what_is_promoted_gets_productions(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main", WITH))
    bot.react_to(bot.push("dev", {**WITH, "n": b"2"}))
    bot.react_to(bot.open_pull("dev"))

    bot.react_to(bot.comment(MAX, "/preview promote"))

    assert newest(bot).state is DeploymentState.LIVE
    assert databases(bot)[-1] == ("hello", "hello")


def test_the_same_files_with_a_database_are_not_the_same(bot: BotInMemory) -> None:
    files: Files = {CONFIG: b"root: app\n", "app/main.ts": b""}
    bot.react_to(bot.push("main", files))

    bot.react_to(bot.push("main", {**files, CONFIG: b"root: app\ndatabase: true\n"}))
    bot.react_to(bot.push("main", {**files, CONFIG: b"root: app\ndatabase: true\n", "n": b""}))

    assert databases(bot) == [("hello--main", None), ("hello--main", "hello--main")]
