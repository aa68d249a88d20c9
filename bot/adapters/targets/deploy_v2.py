"""Deno Deploy API v2 as a target: Deno's own platform, or any server with that API.

It differs from v1 in three ways. There are no hashes: every deploy carries every file, so the
body is streamed. There are no labels of ours: a branch is an app, its production host is the
stable URL, and each revision has a preview host of its own. And there is no idempotency key: a
create whose answer was lost is found again by a label, looked for before any repetition.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from bot.adapters.targets import http
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.probe import ProbeFailed, Prober
from bot.adapters.targets.v2 import observing
from bot.adapters.targets.v2.apps import Apps
from bot.adapters.targets.v2.creating import Creates
from bot.adapters.targets.v2.domains import Domains
from bot.adapters.targets.v2.layers import Layers, shared_by_previews
from bot.adapters.targets.v2.watching import Builds, hosts_of
from bot.core.model.environment import Context, Variable
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import AppSlug, CommitSha, HostLabel, Repository, TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.kernel.clock import Clock
from bot.ports.target import (
    AppLogLine,
    Attached,
    Attachment,
    BlobReader,
    Created,
    Earlier,
    Following,
    NotServing,
    Observation,
    Order,
    Serving,
    Unproven,
    Usage,
    Visits,
)

_NOT_FOUND = 404
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where the platform is and who we are there; the token names the organization."""

    name: str
    api_url: str  # ends in /v2
    token: str = field(repr=False)
    previews_url: str  # "https://*.my-org.deno.net": the only hosts that are probed


class DeployV2Target:
    """`bot.ports.target.Target` over HTTP; may be used from several threads."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        """Keep one client for the platform's life.

        Raises:
            ConfigurationProblem: `previews_url` is not of the form `https://*.example.dev`.

        """
        self.name = platform.name
        self._api = Api(
            platform.name,
            platform.api_url.rstrip("/"),
            platform.token,
            keepalive=http.KEEPALIVE_UNKNOWN,
            clock=clock,
        )
        self._hosts = PreviewHosts.parse(platform.previews_url)
        self._prober = Prober(self._hosts, clock)
        self._clock = clock
        self._layers = Layers(self._api, key=platform.token.encode())
        self._apps = Apps(self._api, self._layers)
        self._creates = Creates(self._api, self._apps, clock)
        self._builds = Builds(self._api, self._hosts, clock)
        self._domains = Domains(self._api, self._builds)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    def url(self, label: HostLabel) -> str | None:  # noqa: ARG002 - no label is ours
        """Return None: the platform names the hosts."""
        return None

    def create(self, order: Order, read: BlobReader) -> Created:
        """Create the revision, or find the one that `order.key` made before."""
        return self._creates.create(order, read)

    def redeploy(
        self,
        order: Order,
        earlier: Earlier,  # noqa: ARG002 - v2 takes no files from an earlier revision
        read: BlobReader,
    ) -> Created:
        """Create a revision of the same files: v2 has no way to run those of another anew."""
        return self._creates.create(order, read)

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
        return self._builds.observe(deployment)

    def follow(self, deployment: TargetDeploymentId) -> Following:
        """Yield how the build stands, as the platform's streams tell it."""
        return self._builds.follow(deployment)

    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        """Return the log of a finished build."""
        return self._builds.log(deployment)

    def bind(
        self,
        deployment: TargetDeploymentId,
        label: HostLabel,  # noqa: ARG002 - the branch's app has a host already
        revision: CommitSha,  # noqa: ARG002 - no host carries it
    ) -> str | None:
        """Make the branch's stable host serve the revision: pin it as its app's production.

        Raises:
            TargetUnavailable: the platform has not listed the host yet; repeating is harmless.

        """
        self._api.tell(Call(method="POST", url=f"revisions/{part(deployment)}/promote"))
        found = self._builds.revision(deployment)
        stable = [host for host in hosts_of(found, "production") if self._hosts.has(host)]
        if not stable:
            raise TargetUnavailable(self.name, "it does not list the promoted revision's host yet")
        return self._builds.url(min(stable, key=len))

    def unbind(self, deployment: TargetDeploymentId, label: HostLabel) -> None:
        """Do nothing: labels are not ours, a branch's app has one host for good."""

    def attach(
        self,
        branch_app: AppSlug,
        deployment: TargetDeploymentId,
        host: str,
        revision: CommitSha,  # noqa: ARG002 - no host carries it
    ) -> Attachment:
        """Make a host of the owner's own domain serve the revision, taking it from later ones."""
        domain = self._domains.proved(host)
        if isinstance(domain, Unproven):
            return domain
        self._domains.bind(branch_app, deployment, host)
        url = self._hosts.url_of(host)
        problem = self._domains.why_unsecured(domain) if url.startswith("https:") else None
        return Attached(url=url, problem=problem)

    def detach(self, deployment: TargetDeploymentId, host: str) -> None:
        """Take such a host away from the revision."""
        self._domains.detach(deployment, host)

    def visits(
        self,
        branch_app: AppSlug,
        deployment: TargetDeploymentId,  # noqa: ARG002 - its app has the visitors
    ) -> Visits | None:
        """Return what the platform's count of the last day says of the branch's app."""
        now = self._clock.now()
        since = now - observing.LONGEST_RANGE
        try:
            used = observing.usage(self._api, branch_app, since=since, until=now)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return None
        return observing.visits(used, since)

    def probe(
        self,
        url: str,
        deployment: TargetDeploymentId,
        revision: CommitSha,  # noqa: ARG002 - the platform knows revisions, not commits
    ) -> Serving | NotServing:
        """Ask once whether `url` serves `deployment`.

        It does when the platform lists the host for this revision and the host answers.
        """
        label = self._hosts.label_of(url)
        if label is None:
            return NotServing(f"{url} is not below PREVIEWBOT_PREVIEWS_URL, so it was not asked")
        host = self._hosts.host(label)
        if host not in hosts_of(self._builds.revision(deployment)):
            return NotServing(f"the platform does not lead {host} to revision {deployment}")
        try:
            head = self._prober.ask(label)
        except ProbeFailed as failure:
            return NotServing(str(failure))
        if head.status >= _SERVER_ERROR:
            return NotServing(f"it answered with status {head.status}")
        return Serving(verified=True, status=head.status)

    def cancel(self, deployment: TargetDeploymentId) -> None:
        """Stop a build or remove a revision that nobody will use; harmless when repeated."""
        self._creates.abandon(deployment)

    def remove(
        self,
        branch_app: AppSlug,
        repository: Repository,
        deployments: Collection[TargetDeploymentId],  # noqa: ARG002 - they go with their app
    ) -> None:
        """Remove a preview: its branch's app, with all its revisions and hosts."""
        self._apps.remove(branch_app, repository)

    def remove_project(self, project: AppSlug, repository: Repository) -> None:
        """Remove the apps of all its branches, and the layer that they shared."""
        self._apps.remove_project(project, repository)

    def share(self, project: AppSlug, variables: Collection[Variable]) -> bool:
        """Put the variables into the project's layer; the platform restarts what uses it."""
        shared = [each for each in variables if each.context is Context.PREVIEW]
        self._layers.ready(shared_by_previews(project), shared)
        return True

    def app_log(
        self, branch_app: AppSlug, deployment: TargetDeploymentId, *, since: datetime, limit: int
    ) -> tuple[AppLogLine, ...]:
        """Return the newest lines that the app wrote, at most `limit`, oldest first."""
        return observing.app_log(
            self._api, self._clock, branch_app, deployment, since=since, limit=limit
        )

    def usage(
        self,
        project: AppSlug,  # noqa: ARG002 - a branch's app is its own
        branch_app: AppSlug,
        *,
        since: datetime,
    ) -> tuple[Usage, ...]:
        """Return what the branch's app used since then."""
        now = self._clock.now()
        start = max(since, now - observing.LONGEST_RANGE)
        try:
            return observing.usage(self._api, branch_app, since=start, until=now)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return ()
