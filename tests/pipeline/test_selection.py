"""A preview of a part of the repository: what is deployed of it, and how its places are named."""

import pytest

from bot.core.model.checks import Conclusion
from tests.fakes.lfs import pointer
from tests.fakes.source import Files, Submodule
from tests.fakes.target import BREAKS
from tests.pipeline.bot_in_memory import BotInMemory

SITE = b"root: apps/site\n"
MONOREPO: Files = {
    ".github/previewbot.yml": SITE + b"exclude: ['*.md']\n",
    "readme.md": b"about all",
    "apps/site/main.ts": b"Deno.serve(() => new Response('hello'))\n",
    "apps/site/notes.md": b"notes",
    "apps/site/vendor/lib": Submodule(),
}


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def test_only_the_selection_is_deployed(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))

    (deployment,) = bot.deployments()
    assert bot.the_check().conclusion is Conclusion.SUCCESS
    assert deployment.transfer is not None
    assert deployment.transfer.files_total == 1


def test_a_later_push_patches_what_was_selected(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))
    bot.react_to(bot.push(files={**MONOREPO, "readme.md": b"2", "apps/site/more.ts": b"2"}))

    transfer = bot.deployments()[-1].transfer
    assert transfer is not None
    assert (transfer.files_sent, transfer.files_total) == (1, 2)


def test_another_selection_is_another_set_of_files(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))
    bot.react_to(bot.push(files={**MONOREPO, ".github/previewbot.yml": SITE}))

    transfer = bot.deployments()[-1].transfer
    assert transfer is not None
    assert transfer.files_total == 2


def test_warnings_name_places_as_the_repository_does(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))

    assert [note.path for note in bot.the_check().annotations] == ["apps/site/vendor/lib"]


def test_diagnostics_name_places_as_the_repository_does(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files={**MONOREPO, "apps/site/main.ts": BREAKS}))

    paths = {note.path for note in bot.the_check().annotations}
    assert paths == {"apps/site/main.ts"}


def test_a_root_that_is_gone_fails_the_check_by_name(bot: BotInMemory) -> None:
    bot.react_to(bot.push(files=MONOREPO))
    bot.react_to(bot.push(files={".github/previewbot.yml": SITE, "readme.md": b"moved away"}))

    check = bot.forge.latest()[bot.deployments()[-1].id]
    assert check.conclusion is Conclusion.FAILURE
    assert "apps/site" in check.summary


def test_a_pointer_that_nobody_handed_to_lfs_is_deployed_with_a_warning(bot: BotInMemory) -> None:
    files = {**MONOREPO, "apps/site/logo.png": pointer(b"a picture")}

    bot.react_to(bot.push(files=files))

    warnings = {note.path: note.message for note in bot.the_check().annotations}
    assert "no .gitattributes" in warnings["apps/site/logo.png"]
    transfer = bot.deployments()[-1].transfer
    assert transfer is not None
    assert transfer.files_total == 2
