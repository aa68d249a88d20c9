"""A build as its streams tell it: broken off, in either format, or not there at all."""

import threading

import pytest

from bot.adapters.targets.v2.streams import events
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import BuildPhase
from bot.ports.target import Broken, Building, Built, Observation
from tests.fakes.apps import hello
from tests.fakes.target import BREAKS, HANGS
from tests.integration.targets.deno_bench import DenoBench
from tests.subhosting.server import wait_until

SAID = [("info", "one"), ("info", "two"), ("warn", "three"), ("info", "three")]


def started(bench: DenoBench, main: bytes = b"") -> TargetDeploymentId:
    app = hello(main=main)
    return bench.target.create(app.order(), app.read).id


def followed(bench: DenoBench, main: bytes = b"") -> list[Observation]:
    seen: list[Observation] = []
    for each in bench.target.follow(started(bench, main)):
        seen.append(each)
        assert len(seen) < 1_000, "it never ends"
    return seen


def phases(seen: list[Observation]) -> list[BuildPhase]:
    found = [each.phase for each in seen if isinstance(each, Building) and each.phase is not None]
    return list(dict.fromkeys(found))


def said(seen: list[Observation]) -> list[LogLine]:
    return [line for each in seen if isinstance(each, Building) for line in each.log]


def test_a_build_is_told_phase_by_phase_and_line_by_line(bench: DenoBench) -> None:
    bench.deno.streaming.said = SAID

    seen = followed(bench)

    assert phases(seen)[-1] is BuildPhase.DEPLOYING
    assert isinstance(seen[-1], Built)
    assert said(seen) == [
        LogLine(level="info", message="one"),
        LogLine(level="info", message="two"),
        LogLine(level="warning", message="three"),
        LogLine(level="info", message="three"),
    ]


@pytest.mark.parametrize("always_lines", [False, True])
def test_a_stream_that_breaks_off_is_taken_up_again(bench: DenoBench, always_lines: bool) -> None:  # noqa: FBT001
    bench.deno.streaming.said = SAID
    bench.deno.streaming.breaks = 4
    bench.deno.streaming.always_lines = always_lines
    made = started(bench, HANGS)
    following = bench.target.follow(made)

    seen: list[Observation] = []
    while len(said(seen)) < len(SAID):
        seen.append(next(following))
    following.close()

    assert [line.message for line in said(seen)] == [message for _, message in SAID]
    assert len(bench.deno.streaming.opened) > 2


def test_a_broken_build_ends_with_its_log(bench: DenoBench) -> None:
    *_, last = followed(bench, BREAKS)

    assert isinstance(last, Broken)
    assert any("SyntaxError" in line.message for line in last.log)


def test_a_platform_without_streams_is_looked_at(bench: DenoBench) -> None:
    bench.deno.streaming.offered = False

    assert isinstance(followed(bench)[-1], Built)
    assert bench.deno.streaming.opened == []


def test_streams_that_always_break_off_are_given_up(bench: DenoBench) -> None:
    bench.deno.streaming.breaks = 1_000

    assert isinstance(followed(bench)[-1], Built)


def test_a_build_that_says_nothing_is_heard_of_every_second(bench: DenoBench) -> None:
    following = bench.target.follow(started(bench, HANGS))

    assert [type(next(following)) for _ in range(4)] == [Building] * 4
    following.close()


def test_who_stops_following_leaves_no_thread(bench: DenoBench) -> None:
    following = bench.target.follow(started(bench, HANGS))
    next(following)
    next(following)
    assert reading()

    following.close()

    wait_until(lambda: not reading(), "the readers' end")


def reading() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "build-stream"]


def test_a_build_that_was_decided_before_is_one_observation(bench: DenoBench) -> None:
    made = started(bench)
    revision = bench.deno.revisions[made]
    revision.status, revision.looks_to_list = "succeeded", 0

    assert [type(each) for each in bench.target.follow(made)] == [Built]
    assert bench.deno.streaming.opened == []


def test_hosts_that_are_listed_later_are_waited_for(bench: DenoBench) -> None:
    made = started(bench)
    bench.deno.revisions[made].looks_to_list = 5

    *before, last = bench.target.follow(made)

    assert isinstance(last, Built)
    assert len(before) >= 3


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ([b"data: a", b""], [b"a"]),
        ([b"data:a", b"", b"data: b", b""], [b"a", b"b"]),
        ([b"data: a", b"data: b", b""], [b"a\nb"]),
        ([b": ping", b"", b"", b"event: log", b"id: 7", b"retry: 1", b"data:  a", b""], [b" a"]),
        ([b"event: heartbeat", b"", b"data", b""], [b""]),
        ([b"data: cut short"], []),
    ],
)
def test_events_are_read_as_the_standard_has_it(
    stream: list[bytes], expected: list[bytes]
) -> None:
    assert list(events(iter(stream))) == expected
