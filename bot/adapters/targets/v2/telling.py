"""A build as its two streams tell it, turned into one."""

import queue
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from bot.adapters.targets.http import Api
from bot.adapters.targets.v2.observing import log_line
from bot.adapters.targets.v2.streams import Ended, GivenUp, News, Source, Tail
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import BuildPhase
from bot.ports.target import Building
from bot.wire import deploy_v2_revisions as wire

# The port's promise to whoever follows.
LONGEST_SILENCE = timedelta(seconds=1)

_PHASES = {
    BuildPhase.DEPLOYING: "deploying",
    BuildPhase.BUILDING: "building",
    BuildPhase.INSTALLING: "installing",
    BuildPhase.PREPARING: "preparing",
}
_NOT_BEGUN = frozenset({wire.StageStatus.PENDING, wire.StageStatus.SKIPPED})


def told(
    api: Api, revision_url: str, is_decided: Callable[[], bool]
) -> Generator[Building, None, None]:
    """Yield what the streams of a revision say until the build is decided or they say no more.

    At least every second; `is_decided` is asked when they look as if it were.
    """
    news: News = queue.SimpleQueue()
    progress = Source(
        url=f"{revision_url}/progress", item=wire.RevisionProgress, tells_from_start=False
    )
    log = Source(url=f"{revision_url}/build_logs", item=wire.BuildLogEntry, tells_from_start=True)
    tails = (Tail(api, progress, news), Tail(api, log, news))
    heard = _Heard(streams=len(tails))
    try:
        decided = False
        # When it is decided, the streams are heard out, unless they are silent.
        while not (decided and heard.is_out) and len(heard.given_up) < len(tails):
            heard.begin()
            for item in _batch(news):
                heard.take(item)
            yield heard.building()
            if heard.may_be_over and not decided:
                decided = is_decided()
    finally:
        for tail in tails:
            tail.close()


@dataclass(slots=True)
class _Heard:
    """What the streams of one build have said."""

    streams: int
    phase: BuildPhase | None = None
    items: int = 0  # in this round
    lines: list[LogLine] = field(default_factory=list)
    may_be_over: bool = False
    ended: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Forget what has been told already."""
        self.items = 0
        self.lines = []
        self.may_be_over = False

    def take(self, item: object) -> None:
        """Take in one item of a stream."""
        self.items += 1
        match item:
            case wire.RevisionProgress():
                self.phase = _phase(item)
                self.may_be_over = self.may_be_over or _is_over(item)
            case wire.BuildLogEntry():
                self.lines.append(log_line(item))
            case Ended(url):
                self.may_be_over = True
                self.ended.add(url)
            case GivenUp(url):
                self.ended.add(url)
                self.given_up.add(url)
            case _:
                pass

    @property
    def is_out(self) -> bool:
        """Tell whether everything was said, or nothing for a while."""
        return len(self.ended) == self.streams or not self.items

    def building(self) -> Building:
        """Return it as the follower sees it."""
        return Building(phase=self.phase, log=tuple(self.lines))


def _batch(news: News) -> Iterator[object]:
    """Yield what there is, after waiting for the first of it for a while."""
    try:
        yield news.get(timeout=LONGEST_SILENCE.total_seconds())
        while True:
            yield news.get_nowait()
    except queue.Empty:
        return


def _phase(progress: wire.RevisionProgress) -> BuildPhase:
    """Return the last stage that has begun."""
    for phase, name in _PHASES.items():
        stage: wire.ProgressStage = getattr(progress, name)
        if stage.status not in _NOT_BEGUN:
            return phase
    return BuildPhase.QUEUED


def _is_over(progress: wire.RevisionProgress) -> bool:
    """Tell whether the last stage ended, or one before it badly."""
    return progress.deploying.status not in {*_NOT_BEGUN, wire.StageStatus.RUNNING} or any(
        stage.status
        in {wire.StageStatus.ERRORED, wire.StageStatus.TIMED_OUT, wire.StageStatus.CANCELLED}
        for stage in (progress.preparing, progress.installing, progress.building)
    )
