from datetime import UTC, timedelta

from bot.kernel.clock import SystemClock


def test_now_says_its_zone() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_monotonic_clock_never_goes_back() -> None:
    clock = SystemClock()

    assert clock.monotonic_s() <= clock.monotonic_s()


def test_a_negative_sleep_returns_at_once() -> None:
    clock = SystemClock()
    start = clock.monotonic_s()

    clock.sleep(timedelta(seconds=-5))

    assert clock.monotonic_s() - start < 1
