"""A platform of v1 that is moved away from; only read.

v1 itself tells neither files nor variables of a deployment; a server of ours does, by the
extension `GET /deployments/{id}/source` of docs/extensions.md.
"""

from collections.abc import Collection, Iterator
from typing import TypeVar
from urllib.parse import quote

from bot.adapters.targets.http import Api, Call
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import BlobSha, TargetDeploymentId
from bot.core.model.manifest import Asset, FileAsset, Manifest, SymlinkAsset
from bot.core.model.migration import OldDeployment, OldDomain, OldProject, OldSource, ProjectId
from bot.kernel.contents import Content, close, each_closed
from bot.kernel.git_hash import content_sha1
from bot.kernel.paths import path_problem
from bot.ports.target import BlobReader
from bot.wire import subhosting_v1 as wire

Item = TypeVar("Item")

_PAGE_SIZE = 100
_NOT_FOUND = 404

# Fields of a create that Deno's guide has no v2 word for, and what to do about each.
_LOST = {
    "databases": "KV databases are not moved; their data stays on the old server",
    "request_timeout": "requestTimeout is not available in v2",
    "permissions": "permissions.net is not available in v2: the app may reach every host",
    "import_map_url": "importMapUrl is not available in v2: name the import map in deno.json",
    "lock_file_url": "lockFileUrl is not available in v2: `deno install` reads deno.lock",
    "compiler_options": "compilerOptions are not available in v2: put them into deno.json",
}


class OldV1:
    """`bot.ports.migration.OldPlatform` over HTTP."""

    def __init__(self, api: Api, organization: str) -> None:
        """Read `organization`, whose token `api` carries."""
        self._api = api
        self._organization = f"organizations/{_part(organization)}"

    def projects(self) -> tuple[OldProject, ...]:
        """Return all projects, by name."""
        found = self._pages(f"{self._organization}/projects", wire.Project, sort="name")
        return tuple(OldProject(id=ProjectId(each.id), name=each.name) for each in found)

    def deployments(self, project: ProjectId) -> tuple[OldDeployment, ...]:
        """Return the successful deployments of a project."""
        url = f"projects/{_part(project)}/deployments"
        return tuple(
            OldDeployment(
                id=TargetDeploymentId(each.id),
                domains=tuple(each.domains or ()),
                created_at=each.created_at,
            )
            for each in self._pages(url, wire.Deployment, sort="created_at")
            if each.status is wire.DeploymentStatus.SUCCESS
        )

    def source(self, deployment: TargetDeploymentId) -> OldSource | None:
        """Return what a deployment was made from; None where the extension is not known."""
        call = Call(method="GET", url=f"deployments/{_part(deployment)}/source")
        try:
            made_by = self._api.ask(call, wire.CreateDeploymentRequest)
        except TargetRefused as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise
        config = made_by.config
        return OldSource(
            entrypoint=made_by.entry_point_url,
            manifest=Manifest(assets=dict(self._assets(made_by))),
            env=made_by.env_vars,
            config=None
            if config is None
            else config.model_dump(mode="json", exclude_none=True, exclude_unset=True),
            not_in_v2=tuple(
                note for name, note in _LOST.items() if getattr(made_by, name) is not None
            ),
        )

    def reader(self, project: ProjectId) -> BlobReader:
        """Return what reads the contents of a project's files, one at a time."""

        def read(hashes: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
            for sha1 in hashes:
                url = f"projects/{_part(project)}/contents/{sha1}"
                content = self._api.download(Call(method="GET", url=url))
                if content_sha1(content) != sha1:
                    close(content)
                    problem = f"content {sha1} came changed; is something rewriting answers?"
                    raise self._refused(problem)
                yield sha1, content

        return lambda hashes: each_closed(read(hashes))

    def domains(self) -> tuple[OldDomain, ...]:
        """Return all custom domains, by name."""
        found = self._pages(f"{self._organization}/domains", wire.Domain, sort="domain")
        return tuple(
            OldDomain(
                host=each.domain,
                deployment=None
                if each.deployment_id is None
                else TargetDeploymentId(each.deployment_id),
            )
            for each in found
        )

    def _pages(self, url: str, item: type[Item], *, sort: str) -> Iterator[Item]:
        pages = list[item]  # type: ignore[valid-type]  # a type made while running
        params: dict[str, str | int] = {"limit": _PAGE_SIZE, "sort": sort, "order": "asc"}
        number = 1
        while True:
            params["page"] = number
            page: list[Item] = self._api.ask(Call(method="GET", url=url, params=params), pages)
            yield from page
            if len(page) < _PAGE_SIZE:
                return
            number += 1

    def _assets(self, made_by: wire.CreateDeploymentRequest) -> Iterator[tuple[str, Asset]]:
        for path, asset in made_by.assets.items():
            if (problem := path_problem(path)) is not None:
                raise self._refused(f"the path {path!r} {problem}")
            match asset:
                case wire.FileHashAsset(git_sha1=sha1):
                    yield path, FileAsset(sha1=BlobSha(sha1))
                case wire.SymlinkAsset(target=target):
                    yield path, SymlinkAsset(target=target)
                case wire.FileContentAsset():
                    raise self._refused(f"{path!r} came with its content instead of its hash")

    def _refused(self, problem: str) -> TargetRefused:
        return TargetRefused(self._api.name, status=200, code="notUnderstood", message=problem)


def _part(text: str) -> str:
    """Return `text` as one part of a URL's path, whatever it holds."""
    return quote(text, safe="")
