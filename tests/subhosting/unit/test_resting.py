from datetime import timedelta

from bot.subhosting.host.resting import Use, to_rest
from bot.subhosting.store.records import InstanceKey

HOUR = timedelta(hours=1)


def key(name: str) -> InstanceKey:
    return InstanceKey(name, None)


def use(name: str, since_s: float, active: int = 0) -> Use:
    return Use(key=key(name), active=active, since_s=since_s)


def test_one_that_was_used_lately_stays() -> None:
    assert to_rest([use("a", 3000)], 3600, idle_after=HOUR, most=9) == []


def test_one_that_nobody_asks_for_rests() -> None:
    assert to_rest([use("a", 0)], 3601, idle_after=HOUR, most=9) == [key("a")]


def test_one_with_a_request_in_flight_stays_however_old_it_is() -> None:
    assert to_rest([use("a", 0, active=1)], 10**9, idle_after=HOUR, most=0) == []


def test_beyond_the_limit_the_longest_unused_rest_first() -> None:
    uses = [use("a", 3), use("b", 1), use("c", 2, active=1), use("d", 4)]

    assert to_rest(uses, 5, idle_after=HOUR, most=2) == [key("b"), key("a")]
