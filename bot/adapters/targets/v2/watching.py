"""A revision's build: where it stands, and where its hosts lead."""

from bot.adapters.targets.following import by_looking
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.v2.observing import log_line
from bot.adapters.targets.v2.telling import told
from bot.core.model.ids import HostLabel, TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import BuildPhase
from bot.kernel.clock import Clock
from bot.ports.target import Broken, Building, Built, Following, Observation
from bot.wire import deploy_v2_revisions as wire

_DECIDED = frozenset(
    {wire.RevisionStatus.SUCCEEDED, wire.RevisionStatus.FAILED, wire.RevisionStatus.SKIPPED}
)


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
            yield from told(
                self._api,
                f"revisions/{part(deployment)}",
                lambda: self.revision(deployment).status in _DECIDED,
            )
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


def _phase_of(revision: wire.Revision) -> BuildPhase | None:
    return BuildPhase.QUEUED if revision.status == wire.RevisionStatus.QUEUED else None


def _with_reason(log: tuple[LogLine, ...], revision: wire.Revision) -> tuple[LogLine, ...]:
    """Add why a good build did not come to serve, if the log does not say it."""
    detail = revision.failure_detail
    if detail is None or any(detail.message in line.message for line in log):
        return log
    return (*log, LogLine(level="error", message=f"{detail.stage}: {detail.message}"))
