"""Subhosting v1 in memory: the rules of a server, without its HTTP.

Strict where the published document is (closed request schemas), and switchable between a
stranger's server and ours: extensions on or off.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import cast

from bot.kernel.git_hash import blob_sha1
from tests.fakes.subhosting.domains import Domains
from tests.fakes.subhosting.refused import Json, Refused
from tests.fakes.target import BREAKS, HANGS, SYNTAX_ERROR

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
TOKEN = "ddo_fake_token"
START = datetime(2026, 11, 20, 12, tzinfo=UTC)

# CreateDeploymentRequest of the published document; its schema is closed.
CREATE_KEYS = {
    "entryPointUrl",
    "assets",
    "envVars",
    "importMapUrl",
    "lockFileUrl",
    "compilerOptions",
    "domains",
    "databases",
    "requestTimeout",
    "permissions",
    "description",
    "enableCron",
}

# What our server takes on top: docs/extensions.md.
EXTENSION_KEYS = {"base", "changed", "removed", "config", "isolation"}

REDEPLOY_KEYS = {"envVars", "databases", "requestTimeout", "permissions", "description"}


@dataclass
class Project:
    id: str
    name: str
    made_at: datetime
    blobs: dict[str, bytes] = field(default_factory=dict)

    def shown(self) -> Json:
        at = self.made_at.isoformat()
        return {
            "id": self.id,
            "name": self.name,
            "description": "",
            "createdAt": at,
            "updatedAt": at,
        }


@dataclass
class Deployment:
    id: str
    project: Project
    request: Json
    made_at: datetime
    files: dict[str, bytes]
    links: dict[str, str]
    status: str = "pending"
    looks_left: int = 1
    domains: dict[str, str | None] = field(default_factory=dict)  # host -> revision
    log: list[Json] = field(default_factory=list)  # as app_logs shows it, oldest first

    @property
    def env_vars(self) -> dict[str, str]:
        return cast("dict[str, str]", self.request["envVars"])

    @property
    def databases(self) -> dict[str, str]:
        return cast("dict[str, str]", self.request.get("databases") or {})

    @property
    def source(self) -> bytes:
        return self.files.get(str(self.request["entryPointUrl"]), BREAKS)

    def look(self) -> None:
        """Let time pass, as far as this deployment is concerned."""
        self.looks_left -= 1
        if self.status == "pending" and self.looks_left < 0 and HANGS not in self.source:
            self.settle()

    def settle(self) -> None:
        self.status = "failed" if BREAKS in self.source else "success"

    def shown(self) -> Json:
        at = self.made_at.isoformat()
        over = self.status == "success"
        return {
            "id": self.id,
            "projectId": self.project.id,
            "description": self.request.get("description") if over else None,
            "status": self.status,
            "domains": list(self.domains) if over else None,
            "databases": self.databases,
            "requestTimeout": None,
            "createdAt": at,
            "updatedAt": at,
        }


@dataclass
class FakePlatform:
    """The state of one server."""

    extensions: bool
    looks_to_build: int = 1
    projects: dict[str, Project] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    databases: dict[str, Json] = field(default_factory=dict)
    domains: Domains = field(default_factory=Domains)
    analytics: list[list[object]] = field(default_factory=list)  # time, requests, cpu, in, out
    lock: RLock = field(default_factory=RLock, repr=False)
    _made_count: int = 0

    def project(self, key: str) -> Project:
        if key not in self.projects:
            raise Refused(404, "projectNotFound")
        return self.projects[key]

    def deployment(self, key: str) -> Deployment:
        if key not in self.deployments:
            raise Refused(404, "deploymentNotFound")
        return self.deployments[key]

    def make_project(self, request: Json) -> Project:
        name = str(request["name"])
        if any(project.name == name for project in self.projects.values()):
            raise Refused(400, "projectNameTaken")
        key = f"22222222-2222-4222-8222-{len(self.projects) + 1:012d}"
        self.projects[key] = Project(id=key, name=name, made_at=self._now())
        return self.projects[key]

    def negotiate(self, project: Project, request: Json) -> list[str]:
        asked = dict.fromkeys(_hashes(request["entries"]))
        return [sha1 for sha1 in asked if sha1 not in project.blobs]

    def make_deployment(self, project: Project, request: Json, key: str | None) -> Deployment:
        if self.extensions and key is not None and key in self.keys:
            return self.deployment(self.keys[key])
        allowed = CREATE_KEYS | (EXTENSION_KEYS if self.extensions else set())
        if unknown := request.keys() - allowed:
            raise Refused(400, "malformedRequest", f"unknown fields {sorted(unknown)}")
        if missing := {"entryPointUrl", "assets", "envVars"} - request.keys():
            raise Refused(400, "malformedRequest", f"missing fields {sorted(missing)}")
        files, links = self._files(project, request)
        made = self._made(project, request, files, links)
        if key is not None:
            self.keys[key] = made.id
        return made

    def redeploy(self, old: Deployment, request: Json) -> Deployment:
        """Merge variables and databases, where null takes away; the rest replaces."""
        if unknown := request.keys() - REDEPLOY_KEYS:
            raise Refused(400, "malformedRequest", f"unknown fields {sorted(unknown)}")
        merged = {
            name: _merged(old.request.get(name) or {}, request.get(name) or {})
            for name in ("envVars", "databases")
        }
        return self._made(old.project, {**old.request, **request, **merged}, old.files, old.links)

    def remove_project(self, project: Project) -> None:
        del self.projects[project.id]
        gone = [each.id for each in self.deployments.values() if each.project is project]
        for key in gone:
            del self.deployments[key]

    def make_database(self, request: Json) -> Json:
        at = (START + timedelta(seconds=len(self.databases))).isoformat()
        key = f"33333333-3333-4333-8333-{len(self.databases) + 1:012d}"
        self.databases[key] = {
            "id": key,
            "organizationId": ORGANIZATION,
            "description": request.get("description") or "",
            "createdAt": at,
            "updatedAt": at,
        }
        return self.databases[key]

    def attach(self, deployment: Deployment, host: str, revision: str | None) -> None:
        if deployment.status != "success":
            raise Refused(400, "deploymentNotSuccessful")
        if not host.endswith(".localhost") and not self.domains.allows(host):
            raise Refused(400, "domainNotAllowed")
        for other in self.deployments.values():
            other.domains.pop(host, None)
        deployment.domains[host] = revision

    def serving(self, host: str) -> Deployment | None:
        return next((d for d in self.deployments.values() if host in d.domains), None)

    def settle(self) -> None:
        """Finish all builds."""
        for deployment in self.deployments.values():
            deployment.settle()

    def build_log(self, deployment: Deployment) -> list[Json]:
        if deployment.status == "failed":
            return [{"level": line.level, "message": line.message} for line in SYNTAX_ERROR]
        return [{"level": "info", "message": "Downloaded file:///src/main.ts (1/1)"}]

    def _made(
        self, project: Project, request: Json, files: dict[str, bytes], links: dict[str, str]
    ) -> Deployment:
        used = cast("dict[str, str]", request.get("databases") or {})
        if unknown := set(used.values()) - self.databases.keys():
            raise Refused(400, "databaseNotFound", str(unknown))
        self._made_count += 1
        made = Deployment(
            id=f"d{self._made_count:011d}",
            project=project,
            request=request,
            made_at=self._now(),
            files=files,
            links=links,
            looks_left=self.looks_to_build,
        )
        self.deployments[made.id] = made
        return made

    def _now(self) -> datetime:
        return START + timedelta(seconds=len(self.projects) + self._made_count)

    def _files(self, project: Project, request: Json) -> tuple[dict[str, bytes], dict[str, str]]:
        if "base" not in request:
            return self._taken(project, request["assets"])
        base = self.deployments.get(str(request["base"]))
        if base is None or base.project is not project:
            raise Refused(400, "baseNotFound")
        assert request["assets"] == {}
        gone = request["removed"]
        assert isinstance(gone, list)
        if not set(gone) <= base.files.keys() | base.links.keys():
            raise Refused(400, "removedPathNotFound")
        changed, relinked = self._taken(project, request["changed"])
        over = {*gone, *changed, *relinked}
        files = {path: file for path, file in base.files.items() if path not in over}
        links = {path: link for path, link in base.links.items() if path not in over}
        return files | changed, links | relinked

    def _taken(self, project: Project, assets: object) -> tuple[dict[str, bytes], dict[str, str]]:
        """Take all assets, or none: then ours remembers the contents that came along.

        Content of this very request is no memory yet.
        """
        assert isinstance(assets, dict)
        files: dict[str, bytes] = {}
        links: dict[str, str] = {}
        brought: dict[str, bytes] = {}
        unknown: list[str] = []
        for path, asset in assets.items():
            if asset["kind"] == "symlink":
                links[path] = asset["target"]
            elif "gitSha1" in asset:
                if asset["gitSha1"] not in project.blobs:
                    unknown.append(f"{path}: {asset['gitSha1']} is unknown")
                    continue
                files[path] = project.blobs[asset["gitSha1"]]
            else:
                files[path] = _content(asset)
                brought[blob_sha1(files[path])] = files[path]
        if self.extensions or not unknown:
            project.blobs |= brought
        if unknown:
            code = "assetNotFound" if self.extensions else "badRequest"
            raise Refused(400, code, unknown[0])
        return files, links


def _content(asset: Mapping[str, str]) -> bytes:
    if asset.get("encoding", "utf-8") == "utf-8":
        return asset["content"].encode()
    try:
        return base64.b64decode(asset["content"], validate=True)
    except binascii.Error as error:
        raise Refused(400, "malformedRequest", "not base64") from error


def _merged(old: object, given: object) -> Json:
    assert isinstance(old, dict)
    assert isinstance(given, dict)
    return {name: value for name, value in {**old, **given}.items() if value is not None}


def _hashes(entries: object) -> Iterator[str]:
    assert isinstance(entries, dict)
    for entry in entries.values():
        if entry["kind"] == "directory":
            yield from _hashes(entry["entries"])
        elif entry["kind"] == "file":
            yield entry["gitSha1"]
