"""The generated page has a row for every operation, and no difference is left undecided."""

from tests.conformance.contract import operations
from tests.conformance.differences import differences
from tests.conformance.table import WAITS_FOR_3, lines


def test_there_are_32_and_35_rows() -> None:
    written = "\n".join(lines({}))

    assert len([each for each in operations() if each.version == "v1"]) == 32
    assert len([each for each in operations() if each.version == "v2"]) == 35
    assert written.count("| nobody |") == 32 + 35


def test_what_waits_is_an_operation() -> None:
    assert {each.key for each in operations()} >= WAITS_FOR_3.keys()


def test_every_difference_is_decided() -> None:
    assert [each.where for each in differences() if each.decision is None] == []


def test_a_row_counts_what_every_client_was_answered() -> None:
    (first, *_) = operations()
    sources = {"curl": {"200": 2}, "sdk": {"200": 1, "404": 1}, "fuzzer": {"401": 1, "404": 1}}
    seen = {"sources": sources, "violations": ["x"]}

    written = list(lines({first.key: seen}))

    cells = "curl, sdk | 200 x3, 401 x1, 404 x2 | 1 | real"
    assert f"| `GET /organizations/{{organizationId}}` | {cells} |" in written
    assert "1 reached, 1 answered with success, 6 answers.\n" in written
