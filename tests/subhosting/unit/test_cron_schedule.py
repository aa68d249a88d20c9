"""Schedules of `Deno.cron`, as Deno itself reads them."""

from datetime import UTC, datetime

import pytest

from bot.subhosting.cron_schedule import NotASchedule, Schedule

# A Friday.
START = datetime(2026, 1, 2, 12, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-01-02 12:08"),
        ("*/15 * * * *", "2026-01-02 12:15"),
        ("0-30/5 * * * *", "2026-01-02 12:10"),
        ("7/10 * * * *", "2026-01-02 12:17"),
        ("7 * * * *", "2026-01-02 13:07"),
        ("55-5 * * * *", "2026-01-02 12:55"),
        ("30 22-3 * * *", "2026-01-02 22:30"),
        ("0 0 1 * *", "2026-02-01 00:00"),
        ("0 0 * jan-mar,DEC 1", "2026-01-04 00:00"),
        ("0 0 * * SUN", "2026-01-04 00:00"),
        ("0 0 * * 1", "2026-01-04 00:00"),
        ("0 0 * * 7", "2026-01-03 00:00"),
        ("0 0 * * MON-FRI", "2026-01-05 00:00"),
        ("0 0 * * SAT-SUN", "2026-01-03 00:00"),
        ("0 0 * * L", "2026-01-03 00:00"),
        ("0 0 20 * MON", "2026-01-05 00:00"),
        ("0 0 L * *", "2026-01-31 00:00"),
        ("0 0 L-3 * *", "2026-01-28 00:00"),
        ("0 0 LW * *", "2026-01-30 00:00"),
        ("0 0 L-6W * *", "2026-01-26 00:00"),
        ("0 0 3W * *", "2026-02-03 00:00"),
        ("0 0 4W * *", "2026-01-05 00:00"),
        ("0 0 1W AUG *", "2026-08-03 00:00"),
        ("0 0 31W MAY *", "2026-05-29 00:00"),
        ("0 0 * * 2#3", "2026-01-19 00:00"),
        ("0 0 * * MON#5", "2026-03-30 00:00"),
        ("0 0 * * MONL", "2026-01-26 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("1-2,*/3\t* * * *", "2026-01-02 12:09"),
    ],
)
def test_the_next_time_of_a_schedule(text: str, expected: str) -> None:
    schedule = Schedule(text)
    found = schedule.next_after(START)

    assert found is not None
    assert found.strftime("%Y-%m-%d %H:%M") == expected
    assert schedule.contains(found.replace(second=59))


def test_a_day_that_never_comes() -> None:
    assert Schedule("0 0 30 2 *").next_after(START) is None
    assert not Schedule("0 0 30W 2 *").contains(START)


@pytest.mark.parametrize(
    "text",
    [
        "* * * * 0",
        "* * * * 8",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * ? * ?",
        "@daily",
        "* * * * * *",
        "  * * * * *  ",
        "*/0 * * * *",
        "*/70 * * * *",
        "* * L,15 * *",
        "0 0 1W,2 * *",
        "0 0 * * 1#6",
        "0 0 * * 2L,3",
        "*-5 * * * *",
        "",
    ],
)
def test_what_deno_refuses_is_no_schedule(text: str) -> None:
    with pytest.raises(NotASchedule):
        Schedule(text)
