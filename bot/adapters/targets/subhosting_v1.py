"""Subhosting API v1 as a target: our own server with its extensions, or any other.

The two dialects differ in what a lost answer costs. The embedded server takes an
`Idempotency-Key` and tells which hashes it lacks; with a stranger we look for our own description
before creating, and send everything when a hash is refused.
"""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never
from urllib.parse import quote

import orjson

from bot.adapters.targets import body, errors, http
from bot.adapters.targets.http import Api, Call, Meter
from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.probe import Head, ProbeFailed, Prober
from bot.adapters.targets.repeats import earlier_deployment
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    CommitSha,
    HostLabel,
    RepoName,
    TargetDeploymentId,
)
from bot.core.model.manifest import FileAsset
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Transfer
from bot.kernel.clock import Clock
from bot.ports.target import (
    Base,
    BlobReader,
    Broken,
    Building,
    Built,
    Created,
    NotServing,
    Observation,
    Order,
    Serving,
)
from bot.wire import subhosting_v1 as wire

# Rounds of "which of these do you lack?" before everything is sent: one for the first deploy or
# a refusal, one more for blobs that went away in between.
NEGOTIATIONS = 2

MAX_DESCRIPTION_CHARS = 1000  # the API's limit
PAGE_SIZE = 100

_NOT_FOUND = 404
_UNAUTHORISED = frozenset({401, 403})
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
        self._dash_url = f"{base_url.removesuffix('/v1')}/api"
        self._projects: dict[AppSlug, str] = {}
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
            return self._create_in(self._project(order.project), order, read)
        except TargetRefused as refusal:
            # The project was deleted behind our back: its id is stale, and so are its blobs.
            if refusal.status != _NOT_FOUND or self._projects.pop(order.project, None) is None:
                raise
        return self._create_in(self._project(order.project), order, read)

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
        call = Call(method="GET", url=f"deployments/{_part(deployment)}")
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

    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        """Return the log of a finished build."""
        call = Call(method="GET", url=f"deployments/{_part(deployment)}/build_logs")
        entries = self._api.ask(call, list[wire.BuildLogEntry])
        return tuple(LogLine(level=entry.level, message=entry.message) for entry in entries)

    def bind(
        self, deployment: TargetDeploymentId, label: HostLabel, revision: CommitSha
    ) -> str | None:
        """Make `label` serve `deployment`, taking it from any other; harmless when repeated."""
        if self._hosts is None:
            return None
        host = self._hosts.host(label)
        document = orjson.dumps({"revision": revision})
        self._api.tell(
            Call(
                method="PUT",
                url=f"deployments/{_part(deployment)}/domains/{_part(host)}",
                body=(lambda: iter((document,))) if self._ours else None,
            )
        )
        return self._hosts.url(label)

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
            self._api.tell(Call(method="DELETE", url=f"deployments/{_part(deployment)}"))
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def remove(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - previews share their repository's project
        repository: RepoName,  # noqa: ARG002 - the same
        deployments: Collection[TargetDeploymentId],
    ) -> None:
        """Remove a preview: all its deployments, and their hosts with them."""
        for deployment in deployments:
            self.cancel(deployment)

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

    def _project(self, slug: AppSlug) -> str:
        """Return the platform's id of the project, which is made on first sight."""
        known = self._projects.get(slug) or self._found_project(slug)
        if known is None:
            known = self._made_project(slug)
        self._projects[slug] = known
        return known

    def _found_project(self, slug: AppSlug) -> str | None:
        for page in range(1, 1 + PAGE_SIZE):
            call = Call(
                method="GET",
                url=self._projects_url(),
                params={"q": slug, "limit": PAGE_SIZE, "page": page},
            )
            found = self._api.ask(call, list[wire.Project])
            for project in found:
                if project.name == slug:  # `q` also finds names that only contain it
                    return project.id
            if len(found) < PAGE_SIZE:
                break
        return None

    def _made_project(self, slug: AppSlug) -> str:
        document = orjson.dumps({"name": slug, "description": "made by previewbot"})
        call = Call(
            method="POST",
            url=self._projects_url(),
            body=lambda: iter((document,)),
            repeatable=False,
        )
        try:
            return self._api.ask(call, wire.Project).id
        except TargetRefused:
            # Somebody else may have made it since we looked: another worker of ours, say.
            found = self._found_project(slug)
            if found is None:
                raise
            return found

    def _projects_url(self) -> str:
        return f"organizations/{_part(self._platform.organization)}/projects"

    def _create_in(self, project: str, order: Order, read: BlobReader) -> Created:
        files = body.Files(named=order.manifest, builds=self._ours)
        attempt = _Attempt(project=project, order=order, read=read, files=files)
        match self._platform.dialect:
            case Dialect.EMBEDDED if order.base is not None:
                return self._create_on(order.base, attempt)
            case Dialect.EMBEDDED:
                return self._create_by_key(attempt)
            case Dialect.PLAIN:
                return self._create_by_description(attempt)
            case _:
                assert_never(self._platform.dialect)

    def _create_on(self, base: Base, attempt: "_Attempt") -> Created:
        """Create on our server by the difference from an earlier deployment, if it has that."""
        named, removed = attempt.order.manifest.since(base.manifest)
        everything = attempt.files
        attempt.files = replace(everything, named=named, base=base.deployment, removed=removed)
        try:
            return self._create_by_key(attempt)
        except TargetRefused as refusal:
            if refusal.code not in errors.BASE_UNFIT:
                raise
        attempt.files = everything
        return self._create_by_key(attempt)

    def _create_by_key(self, attempt: "_Attempt") -> Created:
        """Create on our server: hashes first, and on a refusal ask which ones it lacks."""
        blobs = attempt.files.named.blobs()
        missing: AbstractSet[BlobSha] = blobs - attempt.order.known
        negotiations = 0
        if blobs and not attempt.order.known:
            missing = self._lacking(attempt, blobs)
            negotiations += 1
        while True:
            try:
                return self._posted(attempt, missing)
            except TargetRefused as refusal:
                if refusal.code != errors.ASSET_NOT_FOUND or missing == blobs:
                    raise
            # Asked about all, not only about those it refused: what came with the refused
            # request may have been kept.
            lacking = self._lacking(attempt, blobs) if negotiations < NEGOTIATIONS else blobs
            negotiations += 1
            missing = lacking or blobs

    def _lacking(self, attempt: "_Attempt", asked: AbstractSet[BlobSha]) -> AbstractSet[BlobSha]:
        document = body.negotiate_body(attempt.files.named, asked)
        call = Call(
            method="POST",
            url=f"{self._dash_url}/projects/{_part(attempt.project)}/assets/negotiate",
            body=lambda: iter((document,)),
        )
        answer = self._api.ask(call, list[str], attempt.meter)
        return {BlobSha(sha1) for sha1 in answer} & asked

    def _create_by_description(self, attempt: "_Attempt") -> Created:
        """Create on a stranger's server, which takes no key and cannot say what it lacks."""
        found = earlier_deployment(self._api, self._clock, attempt.project, attempt.marker)
        if found is not None:
            total = attempt.order.manifest.files_total()
            return Created(
                id=found, transfer=Transfer(files_total=total, files_sent=0, bytes_sent=0)
            )
        blobs = attempt.order.manifest.blobs()
        missing = blobs - attempt.order.known
        try:
            return self._posted(attempt, missing)
        except TargetRefused as refusal:
            # How a stranger says "unknown hash" is documented nowhere.
            if missing == blobs or refusal.status in _UNAUTHORISED:
                raise
        return self._posted(attempt, blobs)

    def _posted(self, attempt: "_Attempt", inline: AbstractSet[BlobSha]) -> Created:
        attempt.travelled |= inline
        call = Call(
            method="POST",
            url=f"projects/{_part(attempt.project)}/deployments",
            headers={wire.IDEMPOTENCY_KEY: attempt.order.key} if self._ours else {},
            body=lambda: attempt.body(inline),
            repeatable=self._ours,
        )
        made = self._api.ask(call, wire.Deployment, attempt.meter)
        return Created(id=TargetDeploymentId(made.id), transfer=attempt.transfer())


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """One order on its way, and what it has cost so far."""

    project: str
    order: Order
    read: BlobReader
    files: body.Files
    meter: Meter = field(default_factory=Meter)
    travelled: set[BlobSha] = field(default_factory=set)

    @property
    def marker(self) -> str:
        """Return the start of the description, by which the deployment is found again."""
        return f"previewbot deployment {self.order.key}"

    def body(self, inline: AbstractSet[BlobSha]) -> Iterator[bytes]:
        """Return the create's body, made anew."""
        words = self.order.description
        description = f"{self.marker}: {words}" if words else self.marker
        return body.create_body(
            self.order,
            self.files,
            description=description[:MAX_DESCRIPTION_CHARS],
            inline=inline,
            read=self.read,
        )

    def transfer(self) -> Transfer:
        """Return what was sent, over all requests."""
        assets = self.order.manifest.assets.values()
        sent = sum(isinstance(a, FileAsset) and a.sha1 in self.travelled for a in assets)
        return Transfer(
            files_total=self.order.manifest.files_total(),
            files_sent=sent,
            bytes_sent=self.meter.sent_bytes,
        )


def _part(text: str) -> str:
    """Return `text` as one part of a URL's path, whatever it holds."""
    return quote(text, safe="")


def _shown(sha: str | None) -> str:
    return "no known commit" if sha is None else repr(sha[:64])
