"""The private API of dash.deno.com, as far as deployctl and its Action spoke it.

Source: denoland/deployctl `src/utils/api.ts`, `src/utils/api_types.ts`, `action/index.js`.
"""

from typing import Any, Literal

from pydantic import Field, StrictBool

from bot.wire.subhosting_v1 import NegotiateRequest, WireModel


class PushDeploymentRequest(WireModel):
    """The part `request` of a deployment; files follow it in the order of the negotiation.

    The Action sends `event`, the whole webhook payload, which nobody signed: it is not read.
    """

    url: str
    import_map_url: str | None = None
    production: StrictBool = False
    manifest: NegotiateRequest | None = None


class CreateProject(WireModel):
    """Body of POST /projects/; a null name asks for a random one."""

    name: str | None = None
    organization_id: str | None = None
    env_vars: dict[str, str] = Field(default_factory=dict)
    # deployctl's own name for them.
    envs: dict[str, str] = Field(default_factory=dict)


class UpdateProject(WireModel):
    """Body of PATCH /projects/{nameOrId}; null leaves as it is."""

    name: str | None = None


class DomainMapping(WireModel):
    """A host of a deployment."""

    domain: str
    created_at: str
    updated_at: str


class Deployment(WireModel):
    """A deployment that serves; `url` is its entry point."""

    id: str
    url: str
    domain_mappings: list[DomainMapping]
    project_id: str
    created_at: str
    updated_at: str
    # The names only.
    env_vars: list[str]
    kv_databases: dict[str, str]


class Build(Deployment):
    """A deployment as newer deployctl reads it: `deployment` is null until it serves.

    Older ones read the same document as a `Deployment`: hence the fields of both.
    """

    deployment_id: str
    deployment: Deployment | None
    project: "Project | None"
    logs: list[dict[str, Any]]


class Project(WireModel):
    """A project; deployctl shows its name, and finds its organization by id."""

    id: str
    name: str
    # "playground" would be edited in a browser, and "git" be built there.
    type: Literal["cli"] = "cli"
    organization_id: str
    organization: dict[str, Any]
    production_deployment: Build | None
    has_production_deployment: bool
    created_at: str
    updated_at: str
    env_vars: list[str]


class Domain(WireModel):
    """A custom domain that leads to a project."""

    domain: str
    is_validated: bool


class Database(WireModel):
    """A KV database that deployments of a project use; no size before its first use."""

    branch: str
    database_id: str
    binding_name: str
    description: str
    size_bytes: int | None
    available_regions: list[str]
    created_at: str
    updated_at: str


class PagingInfo(WireModel):
    """The second half of the pair that a list of deployments is; `page` counts from 0."""

    page: int
    count: int
    limit: int
    total_count: int
    total_pages: int
