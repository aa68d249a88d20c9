"""A platform of v2 that is moved to. What was moved is found again by the old id, in a label."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote

import orjson

from bot.adapters.targets import body
from bot.adapters.targets.http import Api, Call
from bot.core.decide.migration import WILDCARD, new_config
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.migration import AppId, AppToMake, NewApp, NewDomain, OldSource
from bot.core.model.outcomes import LogLine
from bot.ports.target import BlobReader, Broken, Building, Built, Observation
from bot.wire import deploy_v2 as wire
from bot.wire import deploy_v2_domains as domains
from bot.wire import deploy_v2_revisions as revisions
from bot.wire.deploy_v2_revisions import RevisionStatus

Item = TypeVar("Item")

OLD_PROJECT, OLD_DEPLOYMENT = "custom.v1-project", "custom.v1-deployment"
# The domains that an app of its own within a project is known by.
OLD_HOSTS = "custom.v1-hosts"
# The variables that an app got from v1; all others are of its people.
OLD_VARIABLES = "custom.v1-variables"

_PAGE_SIZE = 100
_CAME_TO_NOTHING = {RevisionStatus.FAILED, RevisionStatus.SKIPPED}
_ALL = "all"
_BAD_REQUEST, _NOT_FOUND, _CONFLICT = 400, 404, 409


class NewV2:
    """`bot.ports.migration.NewPlatform` over HTTP."""

    def __init__(self, api: Api) -> None:
        """Write to the organization whose token `api` carries."""
        self._api = api

    def app_of(self, wanted: AppToMake) -> NewApp | None:
        """Return the app if it was made: by its project, and any of its hosts if it has some."""
        project = wanted.project.id
        for app in self._pages("apps", wire.AppListItem, {f"labels[{OLD_PROJECT}]": project}):
            # A server that ignores the filter would show us anybody's app.
            if (app.labels or {}).get(OLD_PROJECT) != project:
                continue
            hosts = _listed(app, OLD_HOSTS)
            if hosts & set(wanted.hosts) or not (hosts or wanted.hosts):
                return NewApp(id=AppId(app.id), slug=app.slug)
        return None

    def make_app(self, wanted: AppToMake, config: Mapping[str, object]) -> NewApp:
        """Make an app.

        Raises:
            TargetRefused: the slug is taken, or is none.

        """
        labels: dict[str, wire.LabelValue] = {OLD_PROJECT: wanted.project.id}
        if wanted.hosts:
            labels[OLD_HOSTS] = list(wanted.hosts)
        document = {"slug": wanted.slug, "labels": labels, "config": config}
        made = self._api.ask(_writing("POST", "apps", document), wire.App)
        return NewApp(id=AppId(made.id), slug=made.slug)

    def set_env(self, app: NewApp, env: Mapping[str, str]) -> None:
        """Give the app these variables, each secret; found by key, so repeating is harmless.

        Which of them are new here, and so may be taken away again, is kept in a label.
        """
        if not env:
            return
        found = self._found(app)
        there = {each.key for each in found.env_vars or () if each.contexts == _ALL}
        variables = [
            {"key": key, "value": value, "secret": True, "contexts": _ALL}
            for key, value in env.items()
        ]
        self._update(found, variables, _listed(found, OLD_VARIABLES) | (env.keys() - there))

    def drop_env(self, app: NewApp, kept: Collection[str]) -> None:
        """Take away the variables that `set_env` once made and that are not to be kept."""
        found = self._found(app)
        gone = _listed(found, OLD_VARIABLES) - set(kept)
        if not gone:
            return
        variables = [
            {"id": each.id, "delete": True}
            for each in found.env_vars or ()
            if each.key in gone and each.contexts == _ALL
        ]
        self._update(found, variables, _listed(found, OLD_VARIABLES) - gone)

    def revision_of(
        self, app: NewApp, deployment: TargetDeploymentId
    ) -> TargetDeploymentId | None:
        """Return the newest revision of a deployment that is there or may still get there."""
        made = [
            item
            for item in self._pages(f"apps/{_part(app.id)}/revisions", revisions.RevisionListItem)
            if (item.labels or {}).get(OLD_DEPLOYMENT) == deployment
            and item.status not in _CAME_TO_NOTHING
        ]
        # In which order a server lists them is not published.
        newest = max(made, key=lambda item: item.created_at, default=None)
        return None if newest is None else TargetDeploymentId(newest.id)

    def deploy(
        self, app: NewApp, deployment: TargetDeploymentId, source: OldSource, read: BlobReader
    ) -> TargetDeploymentId:
        """Make a deployment's revision, for production, with the app's variables.

        The config is its own: the app's is that of the first deployment that was moved, or has
        been changed by its people since.
        """
        head = {
            "labels": {OLD_DEPLOYMENT: deployment},
            "config": new_config(source),
            "production": True,
        }

        contents = body.Contents(read)

        def document() -> Iterator[bytes]:
            yield orjson.dumps(head)[:-1] + b',"assets":{'
            yield from body.inline_assets(source.manifest, source.manifest.blobs(), contents)
            yield b"}}"

        call = Call(
            method="POST", url=f"apps/{_part(app.id)}/deploy", body=document, repeatable=False
        )
        return TargetDeploymentId(self._api.ask(call, revisions.RevisionListItem).id)

    def observe(self, revision: TargetDeploymentId) -> Observation:
        """Return how its build stands now, without waiting."""
        url = f"revisions/{_part(revision)}"
        found = self._api.ask(Call(method="GET", url=url), revisions.Revision)
        match found.status:
            case RevisionStatus.SUCCEEDED:
                hosts = [host for timeline in found.timelines for host in timeline.hostnames]
                return Built(urls=tuple(sorted(hosts, key=len)))
            case status if status in _CAME_TO_NOTHING:
                return Broken(log=self._why(found))
            case _:
                return Building()

    def domain(self, host: str) -> NewDomain | None:
        """Return a custom domain that is registered.

        Raises:
            TargetRefused: it is registered for less than `host`.

        """
        call = Call(method="GET", url=f"domains/{_part(_bare(host))}")
        try:
            found = self._api.ask(call, domains.Domain)
        except TargetRefused as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise
        if found.kind not in {_kind(host), domains.DomainKind.BASE_AND_WILDCARD}:
            message = f"{found.domain} is registered as {found.kind}; delete it and run this again"
            raise TargetRefused(
                self._api.name, status=_CONFLICT, code="domainIsNarrower", message=message
            )
        return _domain(host, found)

    def register(self, host: str, *, paired: bool) -> NewDomain:
        """Register a custom domain, with what is around it: `*.x` and `x` are one on v2."""
        kind = domains.DomainKind.BASE_AND_WILDCARD if paired else _kind(host)
        document = {"domain": _bare(host), "kind": str(kind)}
        return _domain(host, self._api.ask(_writing("POST", "domains", document), domains.Domain))

    def prove(self, host: str) -> NewDomain:
        """Ask the platform to look for the domain's records now."""
        url = f"domains/{_part(_bare(host))}"
        try:
            return _domain(
                host, self._api.ask(Call(method="POST", url=f"{url}/verify"), domains.Domain)
            )
        except TargetRefused as refusal:
            # A 400 names the record that is missing.
            if refusal.status != _BAD_REQUEST:
                raise
        return _domain(host, self._api.ask(Call(method="GET", url=url), domains.Domain))

    def serve(self, revision: TargetDeploymentId, host: str) -> None:
        """Lead a proven domain to a revision; harmless when repeated."""
        url = f"revisions/{_part(revision)}/domains"
        self._api.tell(_writing("PUT", url, {"production": [host]}))

    def _pages(
        self, url: str, item: type[Item], only: Mapping[str, str] | None = None
    ) -> Iterator[Item]:
        pages = list[item]  # type: ignore[valid-type]  # a type made while running
        params: dict[str, str | int] = {**(only or {}), "limit": _PAGE_SIZE}
        call: Call | None = Call(method="GET", url=url, params=params)
        while call is not None:
            page: list[Item]
            page, call = self._api.ask_page(call, pages)
            yield from page

    def _found(self, app: NewApp) -> wire.App:
        return self._api.ask(Call(method="GET", url=f"apps/{_part(app.id)}"), wire.App)

    def _update(
        self, app: wire.App, variables: list[dict[str, object]], given: Collection[str]
    ) -> None:
        # Labels are replaced as a whole.
        labels: dict[str, wire.LabelValue] = dict(app.labels or {})
        if given:
            labels[OLD_VARIABLES] = sorted(given)
        else:
            labels.pop(OLD_VARIABLES, None)
        document = {"env_vars": variables, "labels": labels}
        self._api.tell(_writing("PATCH", f"apps/{_part(app.id)}", document))

    def _why(self, revision: revisions.Revision) -> tuple[LogLine, ...]:
        detail = revision.failure_detail
        call = Call(
            method="GET",
            url=f"revisions/{_part(revision.id)}/build_logs",
            headers={"Accept": "application/x-ndjson"},
        )
        log = [
            LogLine(level=entry.level, message=entry.message)
            for entry in self._api.ask_lines(call, revisions.BuildLogEntry)
        ]
        if detail is not None:
            log.append(LogLine(level="error", message=f"{detail.stage}: {detail.message}"))
        return tuple(log)


def _writing(method: str, url: str, document: Mapping[str, object]) -> Call:
    content = orjson.dumps(document)
    repeatable = method != "POST"
    return Call(method=method, url=url, body=lambda: iter((content,)), repeatable=repeatable)


def _listed(app: wire.AppListItem, label: str) -> set[str]:
    words = (app.labels or {}).get(label, [])
    return {words} if isinstance(words, str) else set(words)


def _domain(host: str, found: domains.Domain) -> NewDomain:
    records = tuple(
        " and ".join(_record(record) for record in together) for together in found.dns_records
    )
    return NewDomain(host=host, is_proven=found.is_validated, records=records)


def _record(record: domains.DnsRecord) -> str:
    return f"{record.name} {record.type} {record.value} (in the zone {record.base})"


def _kind(host: str) -> domains.DomainKind:
    if host.startswith(WILDCARD):
        return domains.DomainKind.WILDCARD_ONLY
    return domains.DomainKind.BASE_ONLY


def _bare(host: str) -> str:
    return host.removeprefix(WILDCARD)


def _part(text: str) -> str:
    """Return `text` as one part of a URL's path, whatever it holds."""
    return quote(text, safe="")
