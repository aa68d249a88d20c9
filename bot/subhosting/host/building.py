"""A build under way: what it said and nobody stored yet, how far it is, who waits for news."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.kernel.clock import Clock
from bot.kernel.redact import redact
from bot.subhosting import stages
from bot.subhosting.stages import Stages, StageStatus
from bot.subhosting.store.records import (
    DeploymentRecord,
    Document,
    Ending,
    FailureReason,
    LogLine,
    Status,
)

# A build log beyond this is an accident, and somebody has to read it.
MAX_LINES: Final = 5_000

# Hiding every `1` and `on` would leave nothing to read, and they are no secrets.
_SHORTEST_SECRET: Final = 4

_AS_STAGE: Final = {
    FailureReason.ERROR: StageStatus.ERRORED,
    FailureReason.CANCELLED: StageStatus.CANCELLED,
    FailureReason.TIMED_OUT: StageStatus.TIMED_OUT,
    FailureReason.SKIPPED: StageStatus.CANCELLED,
}


class BuildStopped(Exception):  # noqa: N818 - a fact about the build, said once
    """The build cannot go on; the log says why."""

    def __init__(self, reason: FailureReason, detail: Document | None = None) -> None:
        """Take v2's reason, and its detail for a failure after a good build."""
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(eq=False, slots=True)
class Build:
    """One build, as the event loop knows it."""

    clock: Clock
    news: asyncio.Event = field(default_factory=asyncio.Event)
    # Whether its task runs; one that is cancelled before its first step would never clean up.
    entered: bool = False
    ended: bool = False
    # Somebody asked for its end, and not merely the host for its own.
    cancelled: bool = False
    timeline: str | None = None
    # What the log never shows, longest first.
    secrets: tuple[str, ...] = ()
    _lines: list[LogLine] = field(default_factory=list)
    # How much a build may write; nobody reads more.
    room_bytes: int = 4 * 1024 * 1024
    _count: int = 0
    _stages: Stages | None = None
    _moved: bool = False
    _full: bool = False

    @property
    def started(self) -> bool:
        """Whether it has left the queue."""
        return self._stages is not None

    def start(self, deployment: DeploymentRecord) -> None:
        """Leave the queue."""
        self._stages = Stages(deployment.created_at, deployment.timelines)
        self._stages.end(stages.QUEUED, self.clock.now())
        self.enter(stages.PREPARING)

    def hide(self, values: Iterable[str]) -> None:
        """Keep secrets out of the log, line by line, as what is written comes by lines."""
        lines = {line for value in values for line in value.splitlines()}
        known = {line for line in lines if len(line) >= _SHORTEST_SECRET}
        self.secrets = tuple(sorted(known, key=len, reverse=True))

    def enter(self, stage: str) -> None:
        """Begin a stage."""
        self._known.begin(stage, self.clock.now())
        self._moved = True

    def leave(self, stage: str) -> None:
        """End a stage that went well."""
        self._known.end(stage, self.clock.now())
        self._moved = True

    def skip(self, stage: str) -> None:
        """Pass a stage that has nothing to do."""
        self._known.skip(stage)
        self._moved = True

    def again(self, *names: str) -> None:
        """Take back stages that will be entered once more."""
        self._known.again(names)

    def say(self, level: str, message: str) -> None:
        """Add a line of ours to the build log."""
        self._lines.append(self._line(level, message))

    def hear(self, level: str, message: str) -> None:
        """Add a line of the app's to the build log, as long as there is room."""
        if self._full:
            return
        self._count += 1
        self.room_bytes -= len(message)
        self._full = self._count >= MAX_LINES or self.room_bytes < 0
        if self._full:
            self.say("warning", "lines dropped: the build wrote more than a log holds")
        else:
            self.say(level, message)

    @property
    def has_news(self) -> bool:
        """Whether something is not stored yet."""
        return bool(self._lines) or self._moved

    def take(self) -> tuple[list[LogLine], dict[str, dict[str, str]]]:
        """Return the lines that are not stored yet and all stages; the lines are forgotten."""
        taken, self._lines = self._lines, []
        self._moved = False
        return taken, self._known.document()

    def succeeded(self, built: DeploymentRecord) -> Ending:
        """Return the ending of a build after which the deployment serves as `built` says."""
        now = self.clock.now()
        self._end_routing(now)
        return Ending(
            status=Status.SUCCESS,
            stages=self._known.document(),
            config=built.config,
            entry_point=built.entry_point,
        )

    def failed(self, reason: FailureReason, detail: Document | None = None) -> Ending:
        """Return the ending of a build that broke off where it is."""
        self._known.break_off(_AS_STAGE[reason], self.clock.now())
        return Ending(
            status=Status.FAILED,
            stages=self._known.document(),
            failure_reason=reason,
            failure_detail=detail,
        )

    def announce(self) -> None:
        """Wake those who wait; what comes next makes news of its own."""
        self.news.set()
        self.news = asyncio.Event()

    @property
    def _known(self) -> Stages:
        if self._stages is None:
            msg = "the build has not begun"
            raise RuntimeError(msg)
        return self._stages

    def _end_routing(self, now: datetime) -> None:
        # Hosts are bound in the transaction that stores this ending.
        for name in self._known.document():
            if name.startswith(stages.routing("")):
                self._known.begin(name, now)
                self._known.end(name, now)
        self._known.end(stages.DEPLOYING, now)

    def _line(self, level: str, message: str) -> LogLine:
        step = None if self._stages is None else self._stages.current
        return LogLine(
            level=level,
            message=redact(message, self.secrets),
            at=self.clock.now(),
            step=None if step == stages.QUEUED else step,
            timeline=self.timeline,
        )
