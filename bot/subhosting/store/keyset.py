"""Lists that go on where the last page ended: newest first, without counting."""

from typing import Any

import sqlalchemy as sa

from bot.subhosting.store.records import After


def newest_first(
    query: "sa.Select[Any]", table: sa.Table, after: After | None
) -> "sa.Select[Any]":
    """Return `query` sorted by the age of `table`'s rows, beginning behind `after`."""
    created, key = table.c.created_at, table.c.id
    if after is not None:
        older = created < after.created_at
        query = query.where(older | ((created == after.created_at) & (key < after.id)))
    # Rows of the same moment keep one order, or a row could show on two pages.
    return query.order_by(created.desc(), key.desc())
