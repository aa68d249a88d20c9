"""A revision's build: where it stands, and its streams turned into one."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from bot.adapters.targets.following import by_looking
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.v2.observing import log_line
from bot.adapters.targets.v2.streams import Ended, GivenUp, News, Source, Tail
from bot.core.model.ids import HostLabel, TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import BuildPhase
from bot.kernel.clock import Clock
from bot.ports.target import Broken, Building, Built, Following, Observation
from bot.wire import deploy_v2_revisions as wire

# The port's promise to whoever follows.
LONGEST_SILENCE = timedelta(seconds=1)

_PHASES = {
    BuildPhase.DEPLOYING: "deploying",
    BuildPhase.BUILDING: "building",
    BuildPhase.INSTALLING: "installing",
    BuildPhase.PREPARING: "preparing",
}
_DECIDED = frozenset(
    {wire.RevisionStatus.SUCCEEDED, wire.RevisionStatus.FAILED, wire.RevisionStatus.SKIPPED}
)
_NOT_BEGUN = frozenset({wire.StageStatus.PENDING, wire.StageStatus.SKIPPED})


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


class Builds:
    """The builds of one organization."""

    def __init__(self, api: Api, hosts: PreviewHosts, clock: Clock) -> None:
        self._api = api
        self._hosts = hosts
        self._clock = clock

    def revision(self, deployment: TargetDeploymentId) -> wire.Revision:
        """Return the revision as the platform shows it now."""
        call = Call(method="GET", url=f"revisions/{part(deployment)}")
        return self._api.ask(call, wire.Revision)

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
        return self._judged(self.revision(deployment))

    def follow(self, deployment: TargetDeploymentId) -> Following:
        """Yield how the build stands, by its streams as long as these last, then by looking."""
        found = self.revision(deployment)
        if found.status not in _DECIDED:
            yield Building(phase=_phase_of(found))
            yield from self._by_streams(deployment)
        # The end, or hosts that are not listed yet, or streams that say no more.
        yield from by_looking(lambda: self.observe(deployment), self._clock)

    def log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        """Return the log of a finished build."""
        call = Call(
            method="GET",
            url=f"revisions/{part(deployment)}/build_logs",
            headers={"Accept": "application/x-ndjson"},
        )
        return tuple(map(log_line, self._api.ask_lines(call, wire.BuildLogEntry)))

    def url(self, host: str) -> str:
        """Return the public URL of a host that the platform named."""
        label = HostLabel(host.partition(".")[0])
        return self._hosts.url(label) if self._hosts.has(host) else f"https://{host}"

    def _by_streams(self, deployment: TargetDeploymentId) -> Iterator[Building]:
        """Yield what the streams say until the build is decided or they say no more."""
        news: News = queue.SimpleQueue()
        url = f"revisions/{part(deployment)}"
        progress = Source(
            url=f"{url}/progress", item=wire.RevisionProgress, tells_from_start=False
        )
        log = Source(url=f"{url}/build_logs", item=wire.BuildLogEntry, tells_from_start=True)
        tails = (Tail(self._api, progress, news), Tail(self._api, log, news))
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
                    decided = self.revision(deployment).status in _DECIDED
        finally:
            for tail in tails:
                tail.close()

    def _judged(self, found: wire.Revision) -> Observation:
        match found.status:
            case wire.RevisionStatus.SUCCEEDED:
                # The hosts may be listed some seconds later than the status.
                hosts = sorted(hosts_of(found), key=lambda host: found.id not in host)
                return Built(urls=tuple(map(self.url, hosts))) if hosts else Building()
            case wire.RevisionStatus.FAILED | wire.RevisionStatus.SKIPPED:
                return Broken(log=_with_reason(self.log(TargetDeploymentId(found.id)), found))
            case _:
                # Queued, building, or a word that is newer than we are: its end will be known.
                return Building(phase=_phase_of(found))


def hosts_of(revision: wire.Revision, context: str | None = None) -> list[str]:
    """Return the hosts that lead to a revision now, of one context or of all."""
    return [
        host
        for timeline in revision.timelines
        if context is None or timeline.context.lower() == context
        for host in timeline.hostnames
    ]


def _batch(news: News) -> Iterator[object]:
    """Yield what there is, after waiting for the first of it for a while."""
    try:
        yield news.get(timeout=LONGEST_SILENCE.total_seconds())
        while True:
            yield news.get_nowait()
    except queue.Empty:
        return


def _phase_of(revision: wire.Revision) -> BuildPhase | None:
    return BuildPhase.QUEUED if revision.status == wire.RevisionStatus.QUEUED else None


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


def _with_reason(log: tuple[LogLine, ...], revision: wire.Revision) -> tuple[LogLine, ...]:
    """Add why a good build did not come to serve, if the log does not say it."""
    detail = revision.failure_detail
    if detail is None or any(detail.message in line.message for line in log):
        return log
    return (*log, LogLine(level="error", message=f"{detail.stage}: {detail.message}"))
