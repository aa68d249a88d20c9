"""Deno Deploy API v2: apps, layers, environment variables and errors.

Revisions and their streams stand in `bot.wire.deploy_v2_revisions`, domains, certificates and
databases in `bot.wire.deploy_v2_domains`. `tests/data/deploy_v2` pins all three with documents
from elsewhere.

Sources: Deno's published v2 document (`api.deno.com/v2/openapi.json`, 2.0.0) and the official SDKs
(PyPI `deno-sandbox` 0.16.0, npm `@deno/sandbox` 0.13.2). Where they disagree, a comment says whom
we follow.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

# The published limits of labels, keys and values.
MAX_LABELS = 5
MAX_ENV_KEY = 128
MAX_ENV_VALUE = 65_536


def _is_absent(value: object) -> bool:
    return value is None


# A field with this default is left out of an answer while it has no value. A field that is
# published as null, such as `failure_reason`, has no default: it is always in the answer.
ABSENT: Any = Field(default=None, exclude_if=_is_absent)


class WireModel(BaseModel):
    """snake_case on both sides; unknown keys are ignored, as both sides grow."""

    # Python's own regular expressions, because the published slug rule looks ahead.
    # Built when first used: a command needs a few of them, and all take as long as a deploy.
    model_config = ConfigDict(
        extra="ignore", frozen=True, regex_engine="python-re", defer_build=True
    )


class ErrorDetail(WireModel):
    """What went wrong: `code` in SCREAMING_SNAKE, for example MALFORMED_REQUEST."""

    code: str
    message: str


class ErrorBody(WireModel):
    """Every v2 error, in both published forms at once.

    The document's prose shows `error`; both SDKs and the CLI read the flat pair. Either is
    understood here, and `of` makes one that both kinds of reader understand.
    """

    code: str
    message: str
    error: ErrorDetail

    @classmethod
    def of(cls, code: str, message: str) -> Self:
        """Return the body of one error."""
        return cls(code=code, message=message, error=ErrorDetail(code=code, message=message))

    @model_validator(mode="before")
    @classmethod
    def _from_either_form(cls, body: object) -> object:
        """Fill the form that is missing from the other; prefer the flat one."""
        if not isinstance(body, dict):
            return body
        nested = body.get("error")
        flat = {name: body[name] for name in ("code", "message") if name in body}
        whole = {**nested, **flat} if isinstance(nested, dict) else flat
        return {**whole, "error": whole}


Slug = Annotated[
    str,
    # Published: no hyphen first or last, none doubled at positions 3 and 4 (as in `xn--`).
    Field(min_length=3, max_length=32, pattern=r"^(?!..--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])\Z"),
]

LabelValue = str | list[str]
Labels = Annotated[dict[str, LabelValue], Field(max_length=MAX_LABELS)]

EnvKey = Annotated[str, Field(min_length=1, max_length=MAX_ENV_KEY)]
# The reference says 65536, the manual 16384; the reference is what the service publishes.
EnvValue = Annotated[str, Field(max_length=MAX_ENV_VALUE)]

# Published names: production, preview, build; the CLI adds local, the manual says Development.
Contexts = Literal["all"] | list[str]

# An id (has an underscore, `lyr_abc123`) or a slug (never has one).
LayerReference = Annotated[str, Field(min_length=1)]


class EnvVar(WireModel):
    """A variable of an app or a layer; a secret one shows no value."""

    id: str
    key: str
    value: str | None = ABSENT
    secret: bool
    contexts: Contexts


class EnvVarInput(WireModel):
    """A variable to make."""

    key: EnvKey
    value: EnvValue
    secret: StrictBool = False
    contexts: Contexts = "all"


class EnvVarUpdate(WireModel):
    """A change to one variable: found by `id`, else by key and contexts, else made anew."""

    id: str | None = None
    key: EnvKey | None = None
    value: EnvValue | None = None
    secret: StrictBool | None = None
    contexts: Contexts | None = None
    delete: StrictBool = False

    @model_validator(mode="after")
    def _names_a_variable(self) -> Self:
        if self.id is None and self.key is None:
            msg = "an update names its variable by id or by key"
            raise ValueError(msg)
        return self


class LayerRef(WireModel):
    """A layer as answers name it; in requests it is a plain string."""

    id: str
    slug: str


class Framework(StrEnum):
    """The published presets; NONE is the empty string and excludes nothing."""

    NONE = ""
    NEXTJS = "nextjs"
    ASTRO = "astro"
    NUXT = "nuxt"
    REMIX = "remix"
    SOLIDSTART = "solidstart"
    TANSTACKSTART = "tanstackstart"
    SVELTEKIT = "sveltekit"
    FRESH = "fresh"
    LUME = "lume"


class DynamicRuntime(WireModel):
    """Runs a Deno process."""

    type: Literal["dynamic"]
    entrypoint: Annotated[str, Field(min_length=1)]
    args: list[str] | None = ABSENT
    cwd: str | None = ABSENT


class StaticRuntime(WireModel):
    """Serves the files below `cwd`."""

    type: Literal["static"]
    cwd: Annotated[str, Field(min_length=1)]
    spa: StrictBool | None = ABSENT


Runtime = Annotated[DynamicRuntime | StaticRuntime, Field(discriminator="type")]


class Config(WireModel):
    """How an app is built and run: a framework or a runtime, never both.

    A command that is null or absent is skipped, and answers say null. No memory limit stands
    here: upstream reads that from deno.json or the dashboard only.
    """

    framework: Framework | None = ABSENT
    install: str | None = None
    build: str | None = None
    predeploy: str | None = None
    runtime: Runtime | None = ABSENT
    crons: StrictBool | None = ABSENT

    @model_validator(mode="after")
    def _framework_or_runtime(self) -> Self:
        # The guide from v1 to v2 tells people to leave framework as "" beside a runtime.
        if self.framework and self.runtime is not None:
            msg = "framework and runtime exclude each other"
            raise ValueError(msg)
        return self


class AppInit(WireModel):
    """Body of POST /apps; every field may be missing, and `{}` makes an app with a random slug."""

    slug: Slug | None = None
    labels: Labels | None = None
    layers: list[LayerReference] | None = None
    env_vars: list[EnvVarInput] | None = None
    config: Config | None = None


class AppUpdate(WireModel):
    """Body of PATCH /apps/{app}: env_vars merges, everything else replaces; absent keeps."""

    slug: Slug | None = None
    labels: Labels | None = None
    layers: list[LayerReference] | None = None
    env_vars: list[EnvVarUpdate] | None = None
    config: Config | None = None


class AppListItem(WireModel):
    """An app as lists show it."""

    id: str
    slug: str
    labels: Labels | None = ABSENT
    layers: list[LayerRef]
    updated_at: datetime
    created_at: datetime


class App(AppListItem):
    """An app, whole; later layers override earlier ones."""

    env_vars: list[EnvVar] | None = ABSENT
    config: Config | None = ABSENT


class LayerInit(WireModel):
    """Body of POST /layers."""

    # No rule is published but that a slug holds no underscore, which tells it from an id.
    slug: Annotated[str, Field(min_length=1, pattern=r"^[^_]+\Z")]
    description: str | None = None
    layers: list[LayerReference] | None = None
    env_vars: list[EnvVarInput] | None = None


class LayerUpdate(WireModel):
    """Body of PATCH /layers/{layer}: env_vars merges, everything else replaces; absent keeps."""

    slug: Annotated[str | None, Field(min_length=1, pattern=r"^[^_]+\Z")] = None
    description: str | None = None
    layers: list[LayerReference] | None = None
    env_vars: list[EnvVarUpdate] | None = None


class Layer(WireModel):
    """A set of variables that many apps share."""

    id: str
    slug: str
    description: str | None = ABSENT
    layers: list[LayerRef]
    env_vars: list[EnvVar]
    app_count: int
    created_at: datetime
    updated_at: datetime


class LayerAppRef(WireModel):
    """An app that uses a layer, and where the layer stands in its list, from 0."""

    id: str
    slug: str
    layer_position: int
