"""Subhosting API v1, as far as our client speaks it and our server answers it.

Shared by both sides of one wall, so a mistake here is invisible to any test in which our client
talks to our server: `tests/data/subhosting_v1` pins it with documents from elsewhere.

Source: Deno's published v1 document (`api.deno.com/v1/openapi.json`, OpenAPI 3.0.3). Fields and
headers that are ours are marked *extension*; a stranger's server ignores them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

# Extension: a create with a key that was seen before answers the deployment that it made then.
IDEMPOTENCY_KEY = "Idempotency-Key"


class WireModel(BaseModel):
    """camelCase outside, snake_case inside; unknown keys are ignored, as both sides grow."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class DeploymentStatus(StrEnum):
    """The published three, no more."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


class Organization(WireModel):
    """Answer of GET /organizations/{id}."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


class CreateProjectRequest(WireModel):
    """Body of POST /organizations/{id}/projects; a null name asks for a random one."""

    name: str | None = None
    description: str | None = Field(default=None, max_length=1000)


class Project(WireModel):
    """A project: the container of deployments, and the scope of known blobs."""

    id: str
    name: str
    description: str = ""
    created_at: datetime
    updated_at: datetime


class FileContentAsset(WireModel):
    """A file with its bytes."""

    kind: Literal["file"] = "file"
    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


class FileHashAsset(WireModel):
    """A file the server already has in this project, by git blob SHA-1 (lower-case hex)."""

    kind: Literal["file"] = "file"
    git_sha1: Annotated[str, Field(alias="gitSha1", pattern=r"^[0-9a-f]{40}$")]


class SymlinkAsset(WireModel):
    """A symbolic link; `target` is relative to the link's own folder."""

    kind: Literal["symlink"]
    target: str


Asset = FileContentAsset | FileHashAsset | SymlinkAsset


class CreateDeploymentRequest(WireModel):
    """Body of POST /projects/{id}/deployments, the part that we act on."""

    entry_point_url: str
    assets: dict[str, Asset]
    env_vars: dict[str, str]
    domains: list[str] | None = None
    description: Annotated[str | None, Field(max_length=1000)] = None
    request_timeout: Annotated[int | None, Field(ge=1)] = None


class Deployment(WireModel):
    """One immutable version of a project."""

    id: str
    project_id: str
    description: str | None = None
    status: DeploymentStatus
    domains: list[str] | None = None
    databases: dict[str, str] = Field(default_factory=dict)
    request_timeout: int | None = None
    created_at: datetime
    updated_at: datetime


class BuildLogEntry(WireModel):
    """One line of the build log; the level is a free string, the API gives no time."""

    level: str
    message: str


class AttachDomainRequest(WireModel):
    """Extension: body of PUT /deployments/{id}/domains/{domain}.

    `revision` is opaque to the server; its router answers it as `x-preview-sha` on that host.
    """

    revision: Annotated[str | None, Field(max_length=200)] = None


class AttachedDomain(WireModel):
    """Answer of PUT /deployments/{id}/domains/{domain}, placeholders resolved."""

    domain: str


class NegotiateFile(WireModel):
    """A file in a negotiated manifest; the size is optional (extension)."""

    kind: Literal["file"]
    git_sha1: Annotated[str, Field(alias="gitSha1", pattern=r"^[0-9a-f]{40}$")]
    size: int | None = None


class NegotiateDirectory(WireModel):
    """A folder in a negotiated manifest."""

    kind: Literal["directory"]
    entries: "dict[str, NegotiateEntry]"


NegotiateEntry = Annotated[
    NegotiateFile | NegotiateDirectory | SymlinkAsset, Field(discriminator="kind")
]


class NegotiateRequest(WireModel):
    """Body of POST /api/projects/{id}/assets/negotiate; the answer is a JSON array of hashes.

    Source: denoland/deployctl `src/utils/api_types.ts`, `src/utils/manifest.ts`.
    """

    entries: dict[str, NegotiateEntry]


class MissingAsset(WireModel):
    """Extension: one path whose hash this project does not know."""

    path: str
    git_sha1: Annotated[str, Field(alias="gitSha1")]


class ErrorBody(WireModel):
    """Every v1 error; `missing` is an extension that comes with `assetNotFound`."""

    code: str
    message: str
    missing: list[MissingAsset] | None = None
