"""The table in docs/events.md says what the bot does, about all of GitHub's examples."""

from collections import Counter

import pytest

from tests.pipeline.events_table import DOCUMENT, Row, rows, table, written


@pytest.fixture(scope="module")
def all_rows() -> list[Row]:
    return rows()


def test_the_document_holds_the_table_of_all_examples(all_rows: list[Row]) -> None:
    document = DOCUMENT.read_text()

    assert table(all_rows) in document, "run `make events-table`"
    assert written(document) == document


def test_no_example_is_without_a_reason(all_rows: list[Row]) -> None:
    githubs = [row for row in all_rows if row.example.name.isdecimal()]

    assert len(githubs) == 111
    assert [row for row in all_rows if not row.now.reason or not row.late.reason] == []


def test_every_example_is_understood_and_none_breaks_the_intake(all_rows: list[Row]) -> None:
    reasons = Counter(outcome.reason for row in all_rows for outcome in (row.now, row.late))

    assert reasons["payload-not-understood"] == reasons["intake-failed"] == 0
