"""Conditions and ranges, as RFC 9110 has them."""

from datetime import UTC, datetime

import pytest

from bot.subhosting.host.static.conditions import Part, Verdict, Version, judged, parts_of

TAG = b'"abc"'
VERSION = Version(tag=TAG, modified=datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC))
DATE = b"Sun, 01 Mar 2026 12:00:00 GMT"
EARLIER = b"Sun, 01 Mar 2026 11:00:00 GMT"
LATER = b"Sun, 01 Mar 2026 13:00:00 GMT"

OK = Verdict(status=200)
SAME = Verdict(status=304)
FAILED = Verdict(status=412)
FIRST_TWO = Verdict(status=206, parts=(Part(0, 2),))


def judge(**fields: bytes) -> Verdict:
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return judged(named, VERSION, 100, may_be_part=True)


def test_the_date_is_written_as_http_has_it() -> None:
    assert VERSION.date == DATE


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        (TAG, SAME),
        (b'W/"abc"', SAME),
        (b'"x", "abc"', SAME),
        (b"*", SAME),
        (b'"x"', OK),
        (b"abc", OK),
    ],
)
def test_a_visitor_that_knows_the_file_is_not_sent_it_again(
    known: bytes, verdict: Verdict
) -> None:
    assert judge(if_none_match=known) == verdict


def test_only_the_very_date_counts_as_known_because_a_host_may_go_back() -> None:
    assert judge(if_modified_since=DATE) == SAME
    assert judge(if_modified_since=LATER) == OK
    assert judge(if_modified_since=EARLIER) == OK
    assert judge(if_modified_since=b"yesterday") == OK


def test_a_tag_beats_a_date() -> None:
    assert judge(if_none_match=b'"x"', if_modified_since=DATE) == OK


def test_preconditions_fail_when_the_file_is_another() -> None:
    assert judge(if_match=b'"x"') == FAILED
    assert judge(if_match=b'W/"abc"') == FAILED
    assert judge(if_match=TAG) == OK
    assert judge(if_match=b"*", if_none_match=TAG) == SAME
    assert judge(if_unmodified_since=EARLIER) == FAILED
    assert judge(if_unmodified_since=DATE) == OK


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        (b"bytes=0-1", (Part(0, 2),)),
        (b"bytes=98-", (Part(98, 2),)),
        (b"bytes=-3", (Part(97, 3),)),
        (b"bytes=-500", (Part(0, 100),)),
        (b"bytes=90-500", (Part(90, 10),)),
        (b"BYTES = 5-5", (Part(5, 1),)),
        (b"bytes=0-1, 4-5 , 10-", (Part(0, 2), Part(4, 2), Part(10, 90))),
        (b"bytes=8-9,0-1", (Part(8, 2), Part(0, 2))),
        (b"bytes=0-1,200-", (Part(0, 2),)),
        (b"bytes=100-", ()),
        (b"bytes=-0", ()),
        (b"bytes=5-4", None),
        (b"bytes=-", None),
        (b"bytes=a-b", None),
        (b"bytes=", None),
        (b"bytes=1-2-3", None),
        (b"lines=0-1", None),
        (b"0-1", None),
        (b"bytes=0-9,5-15", None),
        (b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(0, 40, 2)), None),
    ],
)
def test_ranges(wanted: bytes, parts: tuple[Part, ...] | None) -> None:
    assert parts_of(wanted, 100) == parts


def test_a_range_is_for_get_and_for_the_file_that_the_visitor_has() -> None:
    assert judge(range=b"bytes=0-1") == FIRST_TWO
    assert judge(range=b"bytes=0-1", if_range=TAG) == FIRST_TWO
    assert judge(range=b"bytes=0-1", if_range=DATE) == FIRST_TWO
    assert judge(range=b"bytes=0-1", if_range=b'"x"') == OK
    assert judge(range=b"bytes=0-1", if_range=b'W/"abc"') == OK
    assert judge(range=b"bytes=100-") == Verdict(status=416)
    assert judge(range=b"bytes=0-1", if_none_match=TAG) == SAME
    assert judged({b"range": b"bytes=0-1"}, VERSION, 100, may_be_part=False) == OK


def test_no_part_of_an_empty_file_exists() -> None:
    assert parts_of(b"bytes=0-", 0) == ()
    assert parts_of(b"bytes=-5", 0) == ()
