"""How fast one app may export its lines."""

from bot.subhosting.host.pace import Pace


def test_what_exceeds_the_rate_waits_for_the_next_second() -> None:
    pace = Pace(3, 100)

    assert [pace.wait_s(10.0), pace.wait_s(10.25), pace.wait_s(10.5)] == [0, 0, 0.5]
    assert [pace.wait_s(11.0), pace.wait_s(12.5), pace.wait_s(12.5)] == [0, 0, 0]


def test_lines_that_come_late_mean_losses_if_they_had_to_wait() -> None:
    pace = Pace(2, 100)

    assert not pace.loses(0.0, 300.0)  # whatever time it has: nobody had to wait
    pace.wait_s(10.0)
    pace.wait_s(10.0)
    assert not pace.loses(11.0, 44.0)
    assert pace.loses(11.0, 46.0)
    assert not pace.loses(13.0, 46.0)  # it did not wait lately


def test_losses_are_said_once_a_minute() -> None:
    pace = Pace(1, 10)
    said = []
    for second in range(130):
        pace.wait_s(float(second))
        said.append(pace.loses(float(second), 20.0))

    assert [second for second, each in enumerate(said) if each] == [0, 60, 120]
