"""Subhosting API v1 as a target: our own server with its extensions, or any other."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

import orjson

from bot.adapters.targets import body, http
from bot.adapters.targets.following import by_looking
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.probe import Head, ProbeFailed, Prober
from bot.adapters.targets.v1 import observing
from bot.adapters.targets.v1.creating import Attempt, ForeignCreates, OurCreates
from bot.adapters.targets.v1.domains import Domains
from bot.adapters.targets.v1.projects import Projects
from bot.core.model.environment import Variable
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import (
    AppSlug,
    CommitSha,
    HostLabel,
    Repository,
    TargetDeploymentId,
)
from bot.core.model.outcomes import LogLine
from bot.kernel.clock import Clock
from bot.ports.target import (
    AppLogLine,
    Attached,
    Attachment,
    Base,
    BlobReader,
    Broken,
    Building,
    Built,
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
from bot.wire import subhosting_v1 as wire

# Apps without a build are there sooner than a stream could begin.
BRIEFLY = timedelta(milliseconds=300)

_NOT_FOUND = 404
_SERVER_ERROR = 500


class Dialect(StrEnum):
    """Which server is at the other end."""

    EMBEDDED = "embedded"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where the platform is and who we are there."""

    name: str  # remembered blobs are kept under it: another server needs another name
    api_url: str  # ends in /v1
    token: str = field(repr=False)
    organization: str
    previews_url: str | None  # "https://*.example.dev"
    dialect: Dialect


class SubhostingV1Target:
    """`bot.ports.target.Target` over HTTP; may be used from several threads."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        """Keep one client for the platform's life.

        Raises:
            ConfigurationProblem: `previews_url` is not of the form `https://*.example.dev`.

        """
        self.name = platform.name
        self._platform = platform
        self._clock = clock
        self._ours = platform.dialect is Dialect.EMBEDDED
        base_url = platform.api_url.rstrip("/")
        self._api = Api(
            platform.name,
            base_url,
            platform.token,
            keepalive=http.KEEPALIVE_OURS if self._ours else http.KEEPALIVE_UNKNOWN,
            clock=clock,
        )
        self._projects = Projects(self._api, platform.organization)
        self._v2_url = f"{base_url.removesuffix('/v1')}/v2"
        self._domains = Domains(self._api, platform.organization)
        self._our_creates = OurCreates(self._api, f"{base_url.removesuffix('/v1')}/api")
        self._foreign_creates = ForeignCreates(self._api, clock)
        url = platform.previews_url
        self._hosts = PreviewHosts.parse(url) if url is not None else None
        self._prober = Prober(self._hosts, clock) if self._hosts is not None else None

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    def url(self, label: HostLabel) -> str | None:
        """Return the public URL under which `label` is served; None without a wildcard domain."""
        return self._hosts.url(label) if self._hosts is not None else None

    def create(self, order: Order, read: BlobReader) -> Created:
        """Create the deployment, or find the one that `order.key` made before."""
        try:
            return self._create(order, read)
        except TargetRefused as refusal:
            # The project was deleted behind our back: its id is stale, and so are its blobs.
            if refusal.status != _NOT_FOUND or not self._projects.forgot(order.project):
                raise
        return self._create(order, read)

    def redeploy(self, order: Order, earlier: Earlier, read: BlobReader) -> Created:
        """Run the files of `earlier` in the order's environment, and nothing of the old one.

        On our server they are the base of a create, whose settings are said anew. A stranger
        merges variables into the old ones, so its redeploy is asked for only when those are known.
        """
        if self._ours:
            base = Base(deployment=earlier.deployment, manifest=order.manifest)
            return self.create(replace(order, base=base), read)
        if earlier.variables is None:
            return self.create(order, read)
        try:
            return self._foreign_creates.redeploy(
                self._attempt(order, read), earlier.deployment, earlier.variables
            )
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        return self.create(order, read)

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
        call = Call(method="GET", url=f"deployments/{part(deployment)}")
        found = self._api.ask(call, wire.Deployment)
        match found.status:
            case wire.DeploymentStatus.PENDING:
                return Building()
            case wire.DeploymentStatus.SUCCESS:
                return Built(urls=tuple(map(self._host_url, found.domains or ())))
            case wire.DeploymentStatus.FAILED:
                return Broken(log=self.build_log(deployment))
            case _:
                assert_never(found.status)

    def follow(self, deployment: TargetDeploymentId) -> Following:
        """Yield how the build stands: v1 has no stream of it, so it is looked at.

        Our server streams what takes longer by v2, where the same deployment is a revision.
        """

        def look() -> Observation:
            return self.observe(deployment)

        if self._ours:
            decided = yield from by_looking(look, self._clock, at_most=BRIEFLY)
            if decided:
                return
            from bot.adapters.targets.v2.telling import told  # noqa: PLC0415 - rarely needed

            yield from told(
                self._api,
                f"{self._v2_url}/revisions/{part(deployment)}",
                lambda: not isinstance(look(), Building),
            )
        yield from by_looking(look, self._clock)

    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        """Return the log of a finished build."""
        call = Call(method="GET", url=f"deployments/{part(deployment)}/build_logs")
        entries = self._api.ask(call, list[wire.BuildLogEntry])
        return tuple(LogLine(level=entry.level, message=entry.message) for entry in entries)

    def bind(
        self, deployment: TargetDeploymentId, label: HostLabel, revision: CommitSha
    ) -> str | None:
        """Make `label` serve `deployment`, taking it from any other; harmless when repeated."""
        if self._hosts is None:
            return None
        self._put_host(deployment, self._hosts.host(label), revision)
        return self._hosts.url(label)

    def attach(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - domains are the organization's
        deployment: TargetDeploymentId,
        host: str,
        revision: CommitSha,
    ) -> Attachment:
        """Make a host of the owner's own domain serve `deployment`, taking it from any other."""
        domain = self._domains.proved(host)
        if isinstance(domain, Unproven):
            return domain
        self._put_host(deployment, host, revision)
        url = self._hosts.url_of(host) if self._hosts is not None else f"https://{host}"
        secured = url.startswith("https:")
        problem = self._domains.why_unsecured(domain) if secured else None
        return Attached(url=url, problem=problem)

    def detach(self, deployment: TargetDeploymentId, host: str) -> None:
        """Take such a host away from `deployment`."""
        self._domains.detach(deployment, host)

    def unbind(self, deployment: TargetDeploymentId, label: HostLabel) -> None:
        """Let `label` serve nothing, if it serves `deployment`; harmless when repeated."""
        if self._hosts is not None:
            self._domains.detach(deployment, self._hosts.host(label))

    def visits(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - a deployment's visitors are its own
        deployment: TargetDeploymentId,
    ) -> Visits | None:
        """Return when somebody was there last; only our own server says so."""
        if not self._ours:
            return None
        call = Call(method="GET", url=f"deployments/{part(deployment)}/visits")
        return Visits(last_at=self._api.ask(call, wire.Visits).last_visited_at)

    def probe(
        self,
        url: str,
        deployment: TargetDeploymentId,  # noqa: ARG002 - the header names the commit
        revision: CommitSha,
    ) -> Serving | NotServing:
        """Ask `url` once whether it serves `revision`: no redirect followed, 10 s, 64 KB."""
        label = self._hosts.label_of(url) if self._hosts is not None else None
        if label is None or self._prober is None:
            return NotServing(f"{url} is not below PREVIEWBOT_PREVIEWS_URL, so it was not asked")
        try:
            return self._judged(self._prober.ask(label), revision)
        except ProbeFailed as failure:
            return NotServing(str(failure))

    def cancel(self, deployment: TargetDeploymentId) -> None:
        """Stop a build or remove a deployment that nobody will use; harmless when repeated."""
        try:
            self._api.tell(Call(method="DELETE", url=f"deployments/{part(deployment)}"))
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def remove(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - previews share their repository's project
        repository: Repository,  # noqa: ARG002 - the same
        deployments: Collection[TargetDeploymentId],
    ) -> None:
        """Remove a preview: all its deployments, and their hosts with them."""
        for deployment in deployments:
            self.cancel(deployment)

    def remove_project(
        self,
        project: AppSlug,
        repository: Repository,  # noqa: ARG002 - a slug belongs to one repository
    ) -> None:
        """Remove the project with all its deployments; its databases stay."""
        self._projects.remove(project)

    def share(
        self,
        project: AppSlug,  # noqa: ARG002 - nothing is shared here
        variables: Collection[Variable],  # noqa: ARG002 - the same
    ) -> bool:
        """Return False: a deployment's variables are its own, and fixed when it is made."""
        return False

    def app_log(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - a deployment's log is its own
        deployment: TargetDeploymentId,
        *,
        since: datetime,
        limit: int,
    ) -> tuple[AppLogLine, ...]:
        """Return the newest lines that the app wrote, at most `limit`, oldest first."""
        return observing.app_log(self._api, deployment, since=since, limit=limit)

    def usage(
        self,
        project: AppSlug,
        branch_app: AppSlug,  # noqa: ARG002 - previews share their repository's project
        *,
        since: datetime,
    ) -> tuple[Usage, ...]:
        """Return what the project used since then, at most a day ago."""
        found = self._projects.found(project)
        if found is None:
            return ()
        return observing.usage(self._api, self._clock, found, since=since)

    def _put_host(self, deployment: TargetDeploymentId, host: str, revision: CommitSha) -> None:
        document = orjson.dumps({"revision": revision})
        self._api.tell(
            Call(
                method="PUT",
                url=f"deployments/{part(deployment)}/domains/{part(host)}",
                body=(lambda: iter((document,))) if self._ours else None,
            )
        )

    def _create(self, order: Order, read: BlobReader) -> Created:
        attempt = self._attempt(order, read)
        match self._platform.dialect:
            case Dialect.EMBEDDED:
                return self._our_creates.create(attempt)
            case Dialect.PLAIN:
                return self._foreign_creates.create(attempt)
            case _:
                assert_never(self._platform.dialect)

    def _attempt(self, order: Order, read: BlobReader) -> Attempt:
        database = order.environment.database
        return Attempt(
            project=self._projects.id_of(order.project),
            order=order,
            contents=body.Contents(read),
            database=None if database is None else self._projects.database(database),
            files=body.Files(named=order.manifest, ours=self._ours),
        )

    def _host_url(self, host: str) -> str:
        label, _, base = host.partition(".")
        if self._hosts is not None and base == self._hosts.base:
            return self._hosts.url(HostLabel(label))
        return f"https://{host}"

    def _judged(self, head: Head, revision: CommitSha) -> Serving | NotServing:
        if head.status >= _SERVER_ERROR:
            return NotServing(f"it answered with status {head.status}")
        if self._platform.dialect is Dialect.PLAIN:
            return Serving(verified=False, status=head.status)
        if head.sha != revision:
            return NotServing(f"it serves {_shown(head.sha)} instead of {revision}")
        return Serving(verified=True, status=head.status)


def _shown(sha: str | None) -> str:
    return "no known commit" if sha is None else repr(sha[:64])
