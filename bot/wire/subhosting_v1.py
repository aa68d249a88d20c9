"""Subhosting API v1, as far as our client speaks it and our server answers it.

Shared by both sides of one wall, so a mistake here is invisible to any test in which our client
talks to our server: `tests/data/subhosting_v1` pins it with documents from elsewhere.

Source: Deno's published v1 document (`api.deno.com/v1/openapi.json`, OpenAPI 3.0.3). Fields and
headers that are ours are marked *extension*; a stranger's server ignores them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, StrictBool
from pydantic.alias_generators import to_camel

from bot.wire.deploy_v2 import Config

# Extension: a create with a key that was seen before answers the deployment that it made then.
IDEMPOTENCY_KEY = "Idempotency-Key"

MAX_DESCRIPTION = 1000


def _is_absent(value: object) -> bool:
    return value is None


# A field with this default is left out of an answer while it has no value.
ABSENT: Any = Field(default=None, exclude_if=_is_absent)


class WireModel(BaseModel):
    """camelCase outside, snake_case inside; unknown keys are ignored, as both sides grow."""

    # Built when first used: a command needs a few of them, and all take as long as a deploy.
    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        defer_build=True,
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


class UpdateProjectRequest(WireModel):
    """Body of PATCH /projects/{id}; null leaves as it is."""

    name: str | None = None
    description: Annotated[str | None, Field(max_length=MAX_DESCRIPTION)] = None


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


class CompilerOptions(WireModel):
    """The published subset of TypeScript's options; `{}` asks for Deno's defaults."""

    experimental_decorators: StrictBool | None = None
    emit_decorator_metadata: StrictBool | None = None
    jsx: str | None = None
    jsx_factory: str | None = None
    jsx_fragment_factory: str | None = None
    jsx_import_source: str | None = None
    jsx_precompile_skip_elements: list[str] | None = None


class Permissions(WireModel):
    """Hosts the app may reach: null or absent is all, `[]` none; names, addresses or `*`."""

    net: list[str] | None = None


class IsolationWish(WireModel):
    """Extension: the lowest isolation level that a deployment may run at."""

    minimum: Literal["L0", "L1", "L2", "L3"]


class CreateDeploymentRequest(WireModel):
    """Body of POST /projects/{id}/deployments.

    Null and absent differ nowhere. `""` as import map or lock file asks for none at all, null for
    the one that deno.json names. `databases` knows the key `default` only.
    """

    entry_point_url: str
    assets: dict[str, Asset]
    env_vars: dict[str, str]
    domains: list[str] | None = None
    description: Annotated[str | None, Field(max_length=1000)] = None
    request_timeout: Annotated[int | None, Field(ge=1)] = None
    import_map_url: str | None = None
    lock_file_url: str | None = None
    compiler_options: CompilerOptions | None = None
    databases: dict[Literal["default"], str] | None = None
    permissions: Permissions | None = None
    enable_cron: StrictBool | None = None
    # Extension: how it is built, as v2 spells it; an empty one leaves that to the app's deno.json
    # and files, and then to the entry point. Null builds nothing, as Deno's v1 does.
    config: Config | None = None
    # Extension: the files are those of the deployment `base`, with `changed` put in or replaced
    # and `removed` taken out; `assets` is empty then. A stranger finds no entry point and refuses.
    base: str | None = None
    changed: dict[str, Asset] | None = None
    removed: list[str] | None = None
    # Extension: how well it must be isolated at least to run at all.
    isolation: IsolationWish | None = None


class RedeployRequest(WireModel):
    """Body of POST /deployments/{id}/redeploy: what is null or absent stays as it was.

    `envVars` and `databases` are merged into the old ones, and a null value takes a key away.
    deployctl and the official SDKs send `env_vars`; deployctl alone sends `prod`.
    """

    env_vars: Annotated[
        dict[str, str | None] | None,
        # The published name wins over the deprecated one when a client sends both.
        Field(validation_alias=AliasChoices("envVars", "env_vars")),
    ] = None
    databases: dict[Literal["default"], str | None] | None = None
    request_timeout: Annotated[int | None, Field(ge=1)] = None
    permissions: Permissions | None = None
    description: Annotated[str | None, Field(max_length=MAX_DESCRIPTION)] = None
    prod: StrictBool | None = None


class Deployment(WireModel):
    """One immutable version of a project."""

    id: str
    project_id: str
    description: str | None = None
    status: DeploymentStatus
    domains: list[str] | None = None
    databases: dict[str, str] = Field(default_factory=dict)
    request_timeout: int | None = None
    permissions: Permissions | None = ABSENT
    created_at: datetime
    updated_at: datetime


class BuildLogEntry(WireModel):
    """One line of the build log; the level is a free string, the API gives no time."""

    level: str
    message: str


class LogLevel(StrEnum):
    """The published four; v2 says `warn`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class AppLogEntry(WireModel):
    """One line that an app wrote; the published `region` is one of Deno's own data centres."""

    time: datetime
    level: LogLevel
    message: str
    region: str


class AnalyticsField(WireModel):
    """A column; map by name, never by position."""

    name: str
    type: Literal["time", "number", "string", "boolean", "other"]


class Analytics(WireModel):
    """15-minute buckets, one row each; `time` is the bucket's start."""

    fields: list[AnalyticsField]
    values: list[list[Any]]


class AttachDomainRequest(WireModel):
    """Extension: body of PUT /deployments/{id}/domains/{domain}.

    `revision` is opaque to the server; its router answers it as `x-preview-sha` on that host.
    """

    revision: Annotated[str | None, Field(max_length=200)] = None


class AttachedDomain(WireModel):
    """Answer of PUT /deployments/{id}/domains/{domain}, placeholders resolved."""

    domain: str


class DnsRecord(WireModel):
    """A record that proves a domain or sends its visitors here."""

    type: str
    name: str
    content: str


class DomainCertificate(WireModel):
    """A certificate of a domain, without its key."""

    cipher: Literal["rsa", "ec"]
    expires_at: datetime
    created_at: datetime
    updated_at: datetime


class ProvisioningStatus(WireModel):
    """How far the certificates of a domain are; `failed` comes with a message."""

    code: Literal["success", "failed", "pending", "manual"]
    message: str | None = ABSENT


class Domain(WireModel):
    """A custom domain of an organization."""

    id: str
    organization_id: str
    domain: str
    token: str
    is_validated: bool
    certificates: list[DomainCertificate]
    provisioning_status: ProvisioningStatus
    project_id: str | None = ABSENT
    deployment_id: str | None = ABSENT
    created_at: datetime
    updated_at: datetime
    dns_records: list[DnsRecord]


class CreateDomainRequest(WireModel):
    """Body of POST /organizations/{id}/domains."""

    domain: Annotated[str, Field(min_length=1)]


class UpdateDomainRequest(WireModel):
    """Body of the deprecated PATCH /domains/{id}: null takes the domain off its deployment.

    Published with no required key; an empty body therefore means the same as null.
    """

    deployment_id: str | None = None


class AddCertificateRequest(WireModel):
    """Body of POST /domains/{id}/certificates: both in PEM."""

    private_key: SecretStr
    certificate_chain: str


class Visits(WireModel):
    """Extension: answer of GET /deployments/{id}/visits; null when nobody came yet."""

    last_visited_at: datetime | None


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
    """Every v1 error; `missing` is an extension that comes with `assetNotFound`.

    Our server also sends the message as `error`, for readers who know it by that name; Deno's
    schema is open, so both fit in one body. Nothing of ours reads it.
    """

    code: str
    message: str
    missing: list[MissingAsset] | None = None
