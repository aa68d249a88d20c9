"""Whatever comes together around a stranger's commit, the rule of `decide.approvals` holds."""

import pytest

from bot.core.model.pulls import Permission
from tests.pipeline.bot_in_memory import APP, BotInMemory
from tests.pipeline.fork_matrix import (
    DOCUMENT,
    FILES,
    Case,
    Extra,
    cases,
    is_bare,
    outcome,
    table,
    written,
)


@pytest.mark.parametrize("author", Permission)
def test_only_an_approved_head_runs_and_nothing_of_ours_goes_with_it(author: Permission) -> None:
    wrong: list[Case] = []
    for case in cases():
        if case.author is author:
            found = outcome(case)
            bare = all(map(is_bare, found.environments))
            if found.ran != case.may_run or not bare or found.fetched_elsewhere:
                wrong.append(case)

    assert wrong == []


def test_what_lies_elsewhere_is_fetched_where_it_may_be_so_its_absence_tells_something() -> None:
    bot = BotInMemory()
    allowed = {".github/previewbot.yml": b"submodules: true\nlfs: true\n"}

    bot.react_to(bot.push("main", {**APP, **allowed, **FILES[Extra.GITMODULES]}))
    bot.react_to(bot.push("main", {**APP, **allowed, **FILES[Extra.LFSCONFIG]}))

    assert sorted(set(bot.source.elsewhere)) == ["a.bin", "x"]


def test_the_combinations_are_many_and_some_of_them_run() -> None:
    found = list(cases())

    assert len(found) == len(set(found)) == 1728
    assert sum(case.may_run for case in found) == 144


def test_the_document_holds_the_table_of_all_combinations() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")

    assert table() in document, "run `make fork-table`"
    assert written(document) == document
