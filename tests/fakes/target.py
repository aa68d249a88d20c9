"""A deployment platform in memory: it has memory, no script, and fails when it is told to.

A build breaks when its entry point holds `BREAKS` and never ends when it holds `HANGS`, so that
the same app fails here, on the fake server and on real Deno.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import NamedTuple

from bot.adapters.targets.following import by_looking
from bot.core.model.environment import Context, Variable
from bot.core.model.errors import TargetError, TargetRefused, TargetUnavailable
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    CommitSha,
    DeploymentId,
    HostLabel,
    Repository,
    TargetDeploymentId,
)
from bot.core.model.manifest import FileAsset
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import BuildPhase, Transfer
from bot.kernel.clock import Clock
from bot.kernel.contents import whole
from bot.kernel.git_hash import blob_sha1
from bot.ports.target import (
    AppLogLine,
    Attached,
    Attachment,
    BlobReader,
    Broken,
    Building,
    Built,
    Created,
    DnsRecord,
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
from tests.fakes.clock import FakeClock

BREAKS = b"const broken = ;"  # a syntax error for Deno too
HANGS = b"/* never ends */"

# What a manifest entry weighs on the wire besides its content, roughly.
ENTRY_BYTES = 80

SYNTAX_ERROR = (
    LogLine(level="error", message="error: SyntaxError: Expression expected"),
    LogLine(level="error", message="    at file:///src/main.ts:1:16"),
)


class Binding(NamedTuple):
    """What a label serves."""

    deployment: TargetDeploymentId
    revision: CommitSha


@dataclass
class FakeDeployment:
    """One deployment as the platform knows it."""

    id: TargetDeploymentId
    order: Order
    looks_left: int
    breaks: bool
    hangs: bool
    cancelled: bool = False


@dataclass
class FakeTarget:
    """Implements `bot.ports.target.Target`; look at its fields to see what was done to it."""

    name: str = "fake"
    base: str = "preview.test"
    looks_to_build: int = 1  # how often a build answers Building before it is decided
    deployments: dict[TargetDeploymentId, FakeDeployment] = field(default_factory=dict)
    made: list[FakeDeployment] = field(default_factory=list)  # all there ever were
    by_key: dict[DeploymentId, TargetDeploymentId] = field(default_factory=dict)
    creates: list[DeploymentId] = field(default_factory=list)  # every call, repeats included
    bindings: dict[HostLabel, Binding] = field(default_factory=dict)
    blobs: dict[AppSlug, dict[BlobSha, bytes]] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)  # domains whose owners have proved them
    domains: dict[str, Binding] = field(default_factory=dict)  # hosts of such domains
    uncertified: dict[str, str] = field(default_factory=dict)  # why a host has no certificate
    domain_trouble: TargetError | None = None  # what every attach is answered with
    shared: dict[AppSlug, list[Variable]] = field(default_factory=dict)
    logs: dict[TargetDeploymentId, list[AppLogLine]] = field(default_factory=dict)
    used: dict[AppSlug, list[Usage]] = field(default_factory=dict)
    redeploys: list[TargetDeploymentId] = field(default_factory=list)  # of what, every call
    clock: Clock = field(default_factory=FakeClock)  # who follows a build waits on it
    mute: set[TargetDeploymentId] = field(default_factory=set)  # built, but answering nothing
    all_mute: bool = False
    visited_at: dict[TargetDeploymentId, datetime] = field(default_factory=dict)
    remembers: timedelta | None = None  # how long it knows of visitors; None: for ever
    unavailable_calls: int = 0  # the next so many calls find nobody
    phase: BuildPhase | None = None  # what builds that are not decided say
    away_after_looks: int | None = None  # once builds were looked at so often, three calls fail
    refusal: TargetRefused | None = None  # what the next create is answered with
    _lock: RLock = field(default_factory=RLock, repr=False)

    def close(self) -> None:
        """Do nothing: there are no connections."""

    def url(self, label: HostLabel) -> str | None:
        return f"https://{label}.{self.base}"

    def create(self, order: Order, read: BlobReader) -> Created:
        with self._lock:
            self._answer()
            self.creates.append(order.key)
            if self.refusal is not None:
                refusal, self.refusal = self.refusal, None
                raise refusal
            sent = self._received(order, read)
            made = self.by_key.get(order.key)
            if made is None:
                made = self._make(order)
            return Created(id=made, transfer=_transfer(order, sent))

    def redeploy(self, order: Order, earlier: Earlier, read: BlobReader) -> Created:
        with self._lock:
            self._answer()
            self.redeploys.append(earlier.deployment)
            found = self.deployments.get(earlier.deployment)
            if found is None:
                return self.create(order, read)
            assert found.order.manifest.assets == order.manifest.assets
            made = self.by_key.get(order.key) or self._make(order)
            return Created(id=made, transfer=_transfer(order, ()))

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        with self._lock:
            self._answer()
            found = self._deployment(deployment)
            self._leave_in_the_middle()
            if found.hangs or found.looks_left > 0:
                found.looks_left -= 1
                return Building(phase=self.phase)
            return Broken(log=SYNTAX_ERROR) if found.breaks else Built()

    def follow(self, deployment: TargetDeploymentId) -> Following:
        yield from by_looking(lambda: self.observe(deployment), self.clock)

    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        with self._lock:
            self._answer()
            found = self._deployment(deployment)
            return SYNTAX_ERROR if found.breaks else (LogLine(level="info", message="ready"),)

    def bind(
        self, deployment: TargetDeploymentId, label: HostLabel, revision: CommitSha
    ) -> str | None:
        with self._lock:
            self._answer()
            self._deployment(deployment)
            self.bindings[label] = Binding(deployment, revision)
            return self.url(label)

    def visits(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - a deployment's visitors are its own
        deployment: TargetDeploymentId,
    ) -> Visits | None:
        with self._lock:
            self._answer()
            self._deployment(deployment)
            at = self.visited_at.get(deployment)
            if self.remembers is None:
                return Visits(last_at=at)
            since = self.clock.now() - self.remembers
            return Visits(last_at=at if at is not None and at >= since else None, since=since)

    def unbind(self, deployment: TargetDeploymentId, label: HostLabel) -> None:
        with self._lock:
            self._answer()
            if label in self.bindings and self.bindings[label].deployment == deployment:
                del self.bindings[label]

    def probe(
        self,
        url: str,
        deployment: TargetDeploymentId,  # noqa: ARG002 - the binding knows the commit
        revision: CommitSha,
    ) -> Serving | NotServing:
        with self._lock:
            label, _, base = url.removeprefix("https://").partition(".")
            if base != self.base:
                return NotServing(f"{url} is none of ours")
            bound = self.bindings.get(HostLabel(label))
            if bound is None or self.all_mute or bound.deployment in self.mute:
                return NotServing("it does not answer")
            if bound.revision != revision:
                return NotServing(f"it serves {bound.revision} instead of {revision}")
            return Serving(verified=True, status=200)

    def attach(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - domains are everybody's here
        deployment: TargetDeploymentId,
        host: str,
        revision: CommitSha,
    ) -> Attachment:
        with self._lock:
            self._answer()
            self._deployment(deployment)
            if self.domain_trouble is not None:
                raise self.domain_trouble
            if host not in self.published:
                proof = DnsRecord(name=f"_acme-challenge.{host}", kind="TXT", content="proof")
                return Unproven(records=((proof,),))
            self.domains[host] = Binding(deployment, revision)
            return Attached(url=f"https://{host}", problem=self.uncertified.get(host))

    def detach(self, deployment: TargetDeploymentId, host: str) -> None:
        with self._lock:
            self._answer()
            if host in self.domains and self.domains[host].deployment == deployment:
                del self.domains[host]

    def cancel(self, deployment: TargetDeploymentId) -> None:
        with self._lock:
            self._answer()
            if (found := self.deployments.pop(deployment, None)) is not None:
                found.cancelled = True
            for label in [name for name, at in self.bindings.items() if at[0] == deployment]:
                del self.bindings[label]

    def remove(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - previews share a project here
        repository: Repository,  # noqa: ARG002 - the same
        deployments: Collection[TargetDeploymentId],
    ) -> None:
        for deployment in deployments:
            self.cancel(deployment)

    def remove_project(
        self,
        project: AppSlug,
        repository: Repository,  # noqa: ARG002 - a slug belongs to one repository
    ) -> None:
        with self._lock:
            self._answer()
            made = [key for key, each in self.deployments.items() if each.order.project == project]
            for deployment in made:
                self.cancel(deployment)
            self.blobs.pop(project, None)
            self.shared.pop(project, None)
            self.used.pop(project, None)

    def share(self, project: AppSlug, variables: Collection[Variable]) -> bool:
        with self._lock:
            self._answer()
            self.shared[project] = [each for each in variables if each.context is Context.PREVIEW]
            return False

    def app_log(
        self,
        branch_app: AppSlug,  # noqa: ARG002 - a deployment's log is its own
        deployment: TargetDeploymentId,
        *,
        since: datetime,
        limit: int,
    ) -> tuple[AppLogLine, ...]:
        with self._lock:
            self._answer()
            self._deployment(deployment)
            lines = [line for line in self.logs.get(deployment, []) if line.at >= since]
            return tuple(lines[-limit:])

    def usage(
        self,
        project: AppSlug,
        branch_app: AppSlug,  # noqa: ARG002 - previews share a project here
        *,
        since: datetime,
    ) -> tuple[Usage, ...]:
        with self._lock:
            self._answer()
            return tuple(each for each in self.used.get(project, []) if each.start >= since)

    def lose_blobs(self, project: AppSlug, lost: Collection[BlobSha] | None = None) -> None:
        """Forget blobs of a project (None: all), as a server does that was set up anew."""
        held = self.blobs.get(project, {})
        for sha1 in list(held) if lost is None else lost:
            held.pop(sha1, None)

    def _leave_in_the_middle(self) -> None:
        if self.away_after_looks is not None:
            self.away_after_looks -= 1
            if self.away_after_looks < 0:
                self.away_after_looks, self.unavailable_calls = None, 3

    def _answer(self) -> None:
        if self.unavailable_calls > 0:
            self.unavailable_calls -= 1
            raise TargetUnavailable(self.name, "it was told to be away")

    def _deployment(self, deployment: TargetDeploymentId) -> FakeDeployment:
        found = self.deployments.get(deployment)
        if found is None:
            raise TargetRefused(
                self.name, status=404, code="deploymentNotFound", message="no such deployment"
            )
        return found

    def _received(self, order: Order, read: BlobReader) -> set[BlobSha]:
        """Take in what the project lacks, and nothing else."""
        held = self.blobs.setdefault(order.project, {})
        missing = order.manifest.blobs() - held.keys()
        for sha1, content in read(tuple(missing)) if missing else ():
            held[sha1] = whole(content)
            assert blob_sha1(held[sha1]) == sha1
        assert order.manifest.blobs() <= held.keys()
        return missing

    def _make(self, order: Order) -> TargetDeploymentId:
        entry = order.manifest.assets.get(order.entrypoint)
        source = self.blobs[order.project][entry.sha1] if isinstance(entry, FileAsset) else BREAKS
        made = TargetDeploymentId(f"{self.name}{len(self.by_key) + 1:08d}")
        self.by_key[order.key] = made
        deployment = FakeDeployment(
            id=made,
            order=order,
            looks_left=self.looks_to_build,
            breaks=BREAKS in source,
            hangs=HANGS in source,
        )
        self.deployments[made] = deployment
        self.made.append(deployment)
        return made


def _transfer(order: Order, sent: Collection[BlobSha]) -> Transfer:
    assets = order.manifest.assets.values()
    total = order.manifest.files_total()
    files_sent = sum(isinstance(asset, FileAsset) and asset.sha1 in sent for asset in assets)
    return Transfer(
        files_total=total,
        files_sent=files_sent,
        bytes_sent=ENTRY_BYTES * (total + files_sent),
    )
