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


class Project(WireModel):
    """A project; deployctl shows its name, and finds its organization by id."""

    id: str
    name: str
    # "playground" would be edited in a browser, and "git" be built there.
    type: Literal["cli"] = "cli"
    organization_id: str
    organization: dict[str, Any]
    production_deployment: Deployment | None
    has_production_deployment: bool
    created_at: str
    updated_at: str
    env_vars: list[str]


class Build(WireModel):
    """An entry in the list of deployments: `deployment` is null until it serves."""

    id: str
    deployment_id: str
    deployment: Deployment | None
    project: Project
    logs: list[dict[str, Any]]
    created_at: str
    updated_at: str


class PagingInfo(WireModel):
    """The second half of the pair that a list of deployments is; `page` counts from 0."""

    page: int
    count: int
    limit: int
    total_count: int
    total_pages: int
