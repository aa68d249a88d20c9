from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.core.decide.missed import MAX_ATTEMPTS, to_repeat
from bot.core.model.ids import DeliveryGuid, HookId

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Try:
    guid: DeliveryGuid
    arrived: bool
    at: datetime
    hook: HookId | None = None


def tried(
    guid: str, minutes_ago: int, *, arrived: bool = False, hook: HookId | None = None
) -> Try:
    return Try(DeliveryGuid(guid), arrived, NOON - timedelta(minutes=minutes_ago), hook)


def test_what_never_arrived_is_repeated_the_oldest_first() -> None:
    attempts = [tried("new", 5), tried("old", 50), tried("fine", 20, arrived=True)]

    assert [each.guid for each in to_repeat(attempts)] == ["old", "new"]


def test_one_attempt_that_arrived_is_enough() -> None:
    attempts = [tried("a", 30), tried("a", 20, arrived=True), tried("a", 10)]

    assert to_repeat(attempts) == []


def test_what_arrived_by_one_hook_may_be_lost_by_another() -> None:
    one, other = HookId("1"), HookId("2")
    lost = tried("a", 30, hook=other)

    assert to_repeat([tried("a", 30, arrived=True, hook=one), lost]) == [lost]


def test_of_several_attempts_the_newest_is_named() -> None:
    attempts = [tried("a", 30), tried("a", 10), tried("a", 20)]

    assert to_repeat(attempts) == [tried("a", 10)]


def test_what_never_will_arrive_is_given_up() -> None:
    attempts = [tried("a", minute) for minute in range(10, 10 + MAX_ATTEMPTS)]

    assert to_repeat(attempts) == []
    assert to_repeat(attempts[1:]) == [attempts[1]]
