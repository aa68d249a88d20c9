"""When a `Deno.cron` is due. Pure; all times are UTC.

Deno parses schedules by the crate saffron 0.1, which follows Quartz: weekdays count from 1, a
Sunday, to 7; `L`, `W` and `#` exist, ranges may wrap around, and of two limited day fields either
may match. What it accepts and refuses was measured on Deno 2.9.8.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SATURDAY = 7

# From one 29th of February to the next it may be eight years.
_LOOKED_AHEAD_DAYS = 8 * 366

_ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")
_DAY_NEAR = re.compile(r"(?:L(?:-(?P<before>\d+))?(?P<last_near>W)?|(?P<day>\d+)W)")
_DAY_LAST = re.compile(r"(?P<day>\w+?)L")
_DAY_NTH = re.compile(r"(?P<day>\w+)#(?P<nth>[1-5])")

Days = Callable[[date], bool]


class NotASchedule(Exception):  # noqa: N818 - says what the text is
    """A text that Deno would not accept either."""


@dataclass(frozen=True, slots=True)
class _Field:
    """The values that a field may have, and their names."""

    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        if text.upper() in self.names:
            return self.names.index(text.upper()) + 1
        if not text.isdecimal() or not self.lowest <= int(text) <= self.highest:
            raise NotASchedule(text)
        return int(text)

    def values(self, text: str) -> frozenset[int]:
        return frozenset(value for item in text.split(",") for value in self._item(item))

    def _item(self, text: str) -> Iterable[int]:
        found = _ITEM.fullmatch(text)
        if found is None:
            raise NotASchedule(text)
        step = 1 if found["step"] is None else int(found["step"])
        if not 1 <= step <= self.highest:
            raise NotASchedule(text)
        if found["first"] == "*":
            if found["last"] is not None:
                raise NotASchedule(text)
            return range(self.lowest, self.highest + 1, step)
        first = self.number(found["first"])
        if found["last"] is not None:
            last = self.number(found["last"])
        else:
            last = first if found["step"] is None else self.highest
        if first <= last:
            return range(first, last + 1, step)
        around = (*range(first, self.highest + 1), *range(self.lowest, last + 1))
        return around[::step]


_MINUTE, _HOUR, _DAY = _Field(0, 59), _Field(0, 23), _Field(1, 31)
_MONTH, _WEEKDAY = _Field(1, 12, _MONTHS), _Field(1, 7, _WEEKDAYS)


class Schedule:
    """A parsed schedule of five fields."""

    def __init__(self, text: str) -> None:
        """Parse a schedule.

        Raises:
            NotASchedule: it is none.

        """
        fields = re.split(r"[ \t]+", text)
        if len(fields) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
            raise NotASchedule(text)
        minute, hour, day, month, weekday = fields
        self._minutes = _MINUTE.values(minute)
        self._hours = _HOUR.values(hour)
        self._months = _MONTH.values(month)
        self._days = _either(day, weekday)

    def contains(self, moment: datetime) -> bool:
        """Return whether it is due in the minute of `moment`."""
        return (
            moment.minute in self._minutes
            and moment.hour in self._hours
            and self._on(moment.date())
        )

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first minute behind that of `moment` in which it is due, or None."""
        after = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for ahead in range(_LOOKED_AHEAD_DAYS):
            day = after.date() + timedelta(days=ahead)
            if not self._on(day):
                continue
            for hour in sorted(self._hours):
                for minute in sorted(self._minutes):
                    found = datetime(
                        day.year, day.month, day.day, hour, minute, tzinfo=moment.tzinfo
                    )
                    if found >= after:
                        return found
        return None

    def _on(self, day: date) -> bool:
        return day.month in self._months and self._days(day)


def _either(day: str, weekday: str) -> Days:
    of_month, of_week = _days_of_month(day), _days_of_week(weekday)
    if day == "*":
        return of_week
    if weekday == "*":
        return of_month
    return lambda each: of_month(each) or of_week(each)


def _days_of_month(text: str) -> Days:
    near = _DAY_NEAR.fullmatch(text.upper())
    if near is None:
        values = _DAY.values(text)
        return lambda each: each.day in values
    if near["day"] is not None:
        day = _DAY.number(near["day"])
        return lambda each: each.day == _nearest_workday(each, day)
    before = 0 if near["before"] is None else int(near["before"])
    if before >= _DAY.highest:
        raise NotASchedule(text)
    if near["last_near"] is None:
        return lambda each: each.day == _length(each) - before
    return lambda each: each.day == _nearest_workday(each, _length(each) - before)


def _days_of_week(text: str) -> Days:
    if text.upper() == "L":
        return lambda each: _weekday(each) == _SATURDAY
    if (nth := _DAY_NTH.fullmatch(text)) is not None:
        day, number = _WEEKDAY.number(nth["day"]), int(nth["nth"])
        return lambda each: _weekday(each) == day and (each.day - 1) // 7 + 1 == number
    last = _DAY_LAST.fullmatch(text.upper())
    if last is not None:
        day = _WEEKDAY.number(last["day"])
        return lambda each: _weekday(each) == day and each.day + 7 > _length(each)
    values = _WEEKDAY.values(text)
    return lambda each: _weekday(each) in values


def _nearest_workday(month: date, day: int) -> int | None:
    """Return the working day nearest to a day of the month, within that month."""
    length = _length(month)
    if not 1 <= day <= length:
        return None
    match month.replace(day=day).isoweekday():
        case 6:
            return day - 1 if day > 1 else day + 2
        case 7:
            return day + 1 if day < length else day - 2
        case _:
            return day


def _weekday(day: date) -> int:
    """Return Sunday as 1 and Saturday as 7."""
    return day.isoweekday() % 7 + 1


def _length(month: date) -> int:
    return monthrange(month.year, month.month)[1]
