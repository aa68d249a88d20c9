"""The table in docs/security.md says what the suite tries."""

from tests.sandbox.attempts.everything import ATTEMPTS
from tests.sandbox.table import DOCUMENT, table, written


def test_the_document_holds_the_table_of_all_attempts() -> None:
    document = DOCUMENT.read_text()

    assert table() in document, "run `make security-table`"
    assert written(document) == document


def test_no_two_attempts_have_one_name() -> None:
    assert len({each.id for each in ATTEMPTS}) == len(ATTEMPTS)
    assert len(ATTEMPTS) >= 60


def test_every_gap_beyond_an_unconfined_build_says_what_it_leaves_open() -> None:
    silent = [each.name for each in ATTEMPTS if each.app and each.app > 0 and not each.gap]

    assert silent == []
