"""Lists with a page, an order and a total: what every list of v1 needs."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store.records import Page


def page_of(
    connection: Connection,
    query: "sa.Select[Any]",
    page: Page,
    sortable: Mapping[str, "sa.ColumnElement[Any]"],
) -> tuple[Sequence[Row[Any]], int]:
    """Return one page of `query` and how many rows it has altogether."""
    total = connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    column = sortable[page.sort]
    # Rows of the same moment keep one order, or a row could show on two pages.
    order = [column, query.selected_columns["id"]]
    ordered = query.order_by(*(c.desc() if page.descending else c.asc() for c in order))
    offset = (page.page - 1) * page.limit
    return connection.execute(ordered.limit(page.limit).offset(offset)).all(), total


def contains(column: "sa.Column[str]", text: str) -> "sa.ColumnElement[bool]":
    """Match rows whose `column` holds `text`, where `%` and `_` are plain characters."""
    return column.icontains(text, autoescape=True)
