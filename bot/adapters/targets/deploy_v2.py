"""Deno Deploy API v2 as a target: Deno's own platform, or any server with that API.

It differs from v1 in three ways. There are no hashes: every deploy carries every file, so the
body is streamed. There are no labels of ours: a branch is an app, its production host is the
stable URL, and each revision has a preview host of its own. And there is no idempotency key: a
create whose answer was lost is found again by a label, looked for before any repetition.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from bot.adapters.targets import body, http
from bot.adapters.targets.http import Api, Call, Meter
from bot.adapters.targets.previews import PreviewHosts
from bot.adapters.targets.probe import ProbeFailed, Prober
from bot.core.decide.entrypoint import site_folder
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import AppSlug, CommitSha, HostLabel, RepoName, TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Transfer
from bot.kernel.clock import Clock
from bot.ports.target import (
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
from bot.wire import deploy_v2 as wire
from bot.wire import deploy_v2_revisions as revisions

# Every published example of a label has this prefix; whether others are refused is not known.
MANAGED_BY, REPOSITORY, BRANCH = "custom.managed-by", "custom.repo", "custom.branch"
DEPLOYMENT = "custom.deployment"
US = "previewbot"

# Where a lost answer is looked for: the newest revisions of the app, as many as one page holds.
PAGE_SIZE = 100

# v1's word, which the rest of the bot uses.
_LEVELS = {"warn": "warning"}

_NOT_FOUND, _CONFLICT = 404, 409
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
        self._ours: set[AppSlug] = set()

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    def url(self, label: HostLabel) -> str | None:  # noqa: ARG002 - no label is ours
        """Return None: the platform names the hosts."""
        return None

    def create(self, order: Order, read: BlobReader) -> Created:
        """Create the revision, or find the one that `order.key` made before."""
        try:
            return self._create(order, read)
        except TargetRefused as refusal:
            # The app was deleted behind our back.
            if refusal.status != _NOT_FOUND or order.branch_app not in self._ours:
                raise
        self._ours.discard(order.branch_app)
        return self._create(order, read)

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
        found = self._revision(deployment)
        match found.status:
            case revisions.RevisionStatus.SUCCEEDED:
                # The hosts may be listed some seconds later than the status.
                hosts = sorted(_hosts(found), key=lambda host: deployment not in host)
                return Built(urls=tuple(map(self._url, hosts))) if hosts else Building()
            case revisions.RevisionStatus.FAILED | revisions.RevisionStatus.SKIPPED:
                return Broken(log=_with_reason(self.build_log(deployment), found))
            case _:
                # Queued, building, or a word that is newer than we are: its end will be known.
                return Building()

    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        """Return the log of a finished build."""
        call = Call(
            method="GET",
            url=f"revisions/{_part(deployment)}/build_logs",
            headers={"Accept": "application/x-ndjson"},
        )
        entries = self._api.ask_lines(call, revisions.BuildLogEntry)
        return tuple(
            LogLine(level=_LEVELS.get(entry.level, entry.level), message=entry.message)
            for entry in entries
        )

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
        self._api.tell(Call(method="POST", url=f"revisions/{_part(deployment)}/promote"))
        found = self._revision(deployment)
        stable = [host for host in _hosts(found, "production") if self._is_ours(host)]
        if not stable:
            raise TargetUnavailable(self.name, "it does not list the promoted revision's host yet")
        return self._url(min(stable, key=len))

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
        if host not in _hosts(self._revision(deployment)):
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
        self._tell_if_there(Call(method="POST", url=f"revisions/{_part(deployment)}/cancel"))
        # Refused while the build is ending: what is cancelled and has no host harms nobody.
        self._tell_if_there(Call(method="DELETE", url=f"revisions/{_part(deployment)}"))

    def remove(
        self,
        branch_app: AppSlug,
        repository: RepoName,
        deployments: Collection[TargetDeploymentId],  # noqa: ARG002 - they go with their app
    ) -> None:
        """Remove a preview: its branch's app, with all its revisions and hosts."""
        self._ours.discard(branch_app)
        try:
            found = self._app(branch_app)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return
        if _belongs_to(found, repository):
            self._tell_if_there(Call(method="DELETE", url=f"apps/{_part(branch_app)}"))

    def _create(self, order: Order, read: BlobReader) -> Created:
        total = order.manifest.files_total()
        if not self._made_app(order):
            earlier = self._earlier(order)
            if earlier is not None:
                nothing = Transfer(files_total=total, files_sent=0, bytes_sent=0)
                return Created(id=earlier, transfer=nothing)
        meter = Meter()
        call = Call(
            method="POST",
            url=f"apps/{_part(order.branch_app)}/deploy",
            body=lambda: _deploy_body(order, read),
            # What a lost answer made is looked for first: by the next call of this method.
            repeatable=False,
        )
        made = self._api.ask(call, revisions.RevisionListItem, meter)
        sent = Transfer(files_total=total, files_sent=total, bytes_sent=meter.sent_bytes)
        return Created(id=TargetDeploymentId(made.id), transfer=sent)

    def _made_app(self, order: Order) -> bool:
        """Return whether the branch's app had to be made.

        Raises:
            TargetRefused: the name belongs to somebody else's app.

        """
        slug = order.branch_app
        if slug in self._ours:
            return False
        made = False
        try:
            found = self._app(slug)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            found, made = self._new_app(order)
        if not _belongs_to(found, order.repository):
            message = f"the app {slug} is not {order.repository}'s; rename the branch or the app"
            raise TargetRefused(self.name, status=_CONFLICT, code="appIsNotOurs", message=message)
        self._ours.add(slug)
        return made

    def _app(self, slug: AppSlug) -> wire.App:
        return self._api.ask(Call(method="GET", url=f"apps/{_part(slug)}"), wire.App)

    def _new_app(self, order: Order) -> tuple[wire.App, bool]:
        labels = {MANAGED_BY: US, REPOSITORY: order.repository, BRANCH: order.branch}
        document = orjson.dumps({"slug": order.branch_app, "labels": labels})
        call = Call(method="POST", url="apps", body=lambda: iter((document,)), repeatable=False)
        try:
            return self._api.ask(call, wire.App), True
        except TargetRefused as refusal:
            if refusal.status != _CONFLICT:
                raise
            # Somebody else made it since we looked: another worker of ours, say.
            return self._app(order.branch_app), False

    def _earlier(self, order: Order) -> TargetDeploymentId | None:
        """Return the revision that this order made before, if its answer was lost."""
        call = Call(
            method="GET",
            url=f"apps/{_part(order.branch_app)}/revisions",
            params={"limit": PAGE_SIZE},
        )
        for item in self._api.ask(call, list[revisions.RevisionListItem]):
            if (item.labels or {}).get(DEPLOYMENT) == order.key:
                return TargetDeploymentId(item.id)
        return None

    def _revision(self, deployment: TargetDeploymentId) -> revisions.Revision:
        call = Call(method="GET", url=f"revisions/{_part(deployment)}")
        return self._api.ask(call, revisions.Revision)

    def _tell_if_there(self, call: Call) -> None:
        try:
            self._api.tell(call)
        except TargetRefused as refusal:
            if refusal.status not in {_NOT_FOUND, _CONFLICT}:
                raise

    def _is_ours(self, host: str) -> bool:
        return host.partition(".")[2] == self._hosts.base

    def _url(self, host: str) -> str:
        label = HostLabel(host.partition(".")[0])
        return self._hosts.url(label) if self._is_ours(host) else f"https://{host}"


def _belongs_to(app: wire.App, repository: RepoName) -> bool:
    labels = app.labels or {}
    return (labels.get(MANAGED_BY), labels.get(REPOSITORY)) == (US, repository)


def _runtime(entrypoint: str) -> dict[str, str]:
    folder = site_folder(entrypoint)
    if folder is not None:
        return {"type": "static", "cwd": folder}
    return {"type": "dynamic", "entrypoint": entrypoint}


def _deploy_body(order: Order, read: BlobReader) -> Iterator[bytes]:
    """Yield a DeployInit of a preview: built and given its own host, and no other yet."""
    head = {
        "labels": {DEPLOYMENT: order.key},
        "production": False,
        "preview": True,
        # What v1 does by itself: docs of Deno's migration guide, "deployment".
        "config": {
            "install": "deno install",
            "runtime": _runtime(order.entrypoint),
        },
        "env_vars": [{"key": key, "value": value} for key, value in order.env.items()],
    }
    yield orjson.dumps(head)[:-1] + b',"assets":{'
    yield from body.inline_assets(order.manifest, order.manifest.blobs(), read)
    yield b"}}"


def _hosts(revision: revisions.Revision, context: str | None = None) -> list[str]:
    return [
        host
        for timeline in revision.timelines
        if context is None or timeline.context.lower() == context
        for host in timeline.hostnames
    ]


def _with_reason(log: tuple[LogLine, ...], revision: revisions.Revision) -> tuple[LogLine, ...]:
    """Add why a good build did not come to serve, if the log does not say it."""
    detail = revision.failure_detail
    if detail is None or any(detail.message in line.message for line in log):
        return log
    return (*log, LogLine(level="error", message=f"{detail.stage}: {detail.message}"))


def _part(text: str) -> str:
    """Return `text` as one part of a URL's path, whatever it holds."""
    return quote(text, safe="")
