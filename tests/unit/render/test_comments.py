from dataclasses import replace

import pytest

from bot.core.model.ids import AppSlug, Branch, DeploymentId, HostLabel
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.render.comments import MARKER, MAX_BODY_BYTES, Row, body
from tests.data import hostile
from tests.unit.render.browser import rendered
from tests.unit.render.test_checks import PAGE, deployment

URL = "http://hello--main.localhost:8081"


def attempt(state: DeploymentState = DeploymentState.LIVE, **changes: object) -> Deployment:
    return replace(deployment(), state=state, title="Live: 1 of 9 files sent", url=URL, **changes)  # type: ignore[arg-type] # fields


def test_a_row_says_where_and_what() -> None:
    live = attempt()

    assert body([Row(newest=live, serving=live, url=URL, page_url=PAGE)]) == (
        f"{MARKER}\n"
        "| App | Preview | Commit | State |\n"
        "|---|---|---|---|\n"
        f"| [`hello`]({PAGE}) | <{URL}> | `aaaaaaa` | Live: 1 of 9 files sent |"
    )


def test_what_still_serves_is_named_while_the_next_one_is_on_its_way() -> None:
    older = attempt(id=DeploymentId("d0"), head="b" * 40)
    newest = attempt(DeploymentState.DEPLOYING)

    text = body([Row(newest=newest, serving=older, url=URL, page_url=None)])

    assert text.endswith(f"| `hello` | <{URL}> (still `bbbbbbb`) | `aaaaaaa` | deploying |")


def test_a_preview_that_is_gone_has_no_address() -> None:
    gone = attempt()
    gone = replace(gone, preview=replace(gone.preview, buried=True))

    assert body([Row(newest=gone, serving=None, url=None, page_url=None)]).endswith(
        "| `hello` | none | `aaaaaaa` | removed |"
    )


def test_rows_come_by_the_name_of_their_app() -> None:
    rows = []
    for name in ("web", "api"):
        one = attempt()
        preview = replace(one.preview, slug=AppSlug(name), label=HostLabel(f"{name}--main"))
        one = replace(one, preview=preview)
        rows.append(Row(newest=one, serving=one, url=URL, page_url=None))

    lines = body(rows).splitlines()

    assert [line.split("|")[1].strip() for line in lines[3:]] == ["`api`", "`web`"]


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_texts_of_strangers_stay_in_their_cell(text: str) -> None:
    failed = attempt(DeploymentState.FAILED)
    failed = replace(
        failed, title=text, preview=replace(failed.preview, line=BranchLine(Branch(text or "x")))
    )

    made = body([Row(newest=failed, serving=None, url=None, page_url=None)])

    assert made.count(MARKER) == 1
    assert len(made.splitlines()) == 4
    shown = rendered(made)
    assert shown.links == []
    assert shown.comments == [MARKER.removeprefix("<!--").removesuffix("-->")]
    assert shown.tags == {"table", "thead", "tbody", "tr", "th", "td", "code"}


def test_more_rows_than_fit_are_counted() -> None:
    one = attempt(DeploymentState.FAILED)
    one = replace(one, title="*" * 300)
    rows = [Row(newest=one, serving=None, url=None, page_url=PAGE) for _ in range(500)]

    made = body(rows)

    assert len(made.encode()) < MAX_BODY_BYTES + 100
    assert made.endswith(" more are not shown.")


def test_of_one_row_too_many_is_said_that_it_is_not_shown() -> None:
    one = replace(attempt(DeploymentState.FAILED), title="*" * 300)
    row = Row(newest=one, serving=None, url=None, page_url=PAGE)
    fitting = body([row] * 500).count("\n|") - 2  # without the table's head

    assert body([row] * fitting).endswith("|")
    assert body([row] * (fitting + 1)).endswith("\n1 more is not shown.")
