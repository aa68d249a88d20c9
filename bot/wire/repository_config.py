"""`.github/previewbot.yml`, the file in which a repository says how it is deployed.

Unknown keys are errors: people mistype them. What a key means stands in its description, which the
published JSON Schema shows.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.kernel.globs import glob_problem
from bot.kernel.paths import path_problem

# More apps in one repository would be a mistake, and each costs a check at every push.
MAX_APPS = 50
MAX_PATTERNS = 100
MAX_LABELS = 20
MAX_COMMAND_CHARS = 2_000
MAX_REASON_CHARS = 200

# GitHub's own limit of a label's name. https://docs.github.com/en/rest/issues/labels
MAX_LABEL_CHARS = 50

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhdw])")

# RFC 1035, section 2.3.4: labels of at most 63 characters; at least two of them here.
_HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def _text(value: object) -> object:
    """Take a number for the text that it was written as: a branch may be called 2024."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def _clean_path(text: str) -> str:
    path = "/".join(part for part in text.split("/") if part not in {"", "."})
    if text.startswith("/"):
        problem: str | None = "is absolute; paths count from the top of the repository"
    else:
        problem = path_problem(path) if path else None
    if problem is not None:
        msg = f"{text[:100]!r} {problem}"
        raise ValueError(msg)
    return path


def _clean_file(text: str) -> str:
    path = _clean_path(text)
    if not path:
        msg = f"{text[:100]!r} names no file"
        raise ValueError(msg)
    return path


def _glob(text: str) -> str:
    problem = glob_problem(text)
    if problem is not None:
        msg = f"{text[:100]!r} {problem}"
        raise ValueError(msg)
    return text


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        msg = f"{text[:100]!r} is no duration; write for example 90m, 12h, 14d or 2w"
        raise ValueError(msg)
    return int(found[1]) * _SECONDS[found[2]]


def _host(text: str) -> str:
    host = text.lower()
    if not _HOST.fullmatch(host):
        msg = f"{text[:100]!r} is no host name; write for example app.example.com"
        raise ValueError(msg)
    return host


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
FolderPath = Annotated[Text, AfterValidator(_clean_path)]
FilePath = Annotated[Text, AfterValidator(_clean_file)]
Pattern = Annotated[Text, AfterValidator(_glob)]
Patterns = Annotated[list[Pattern], Field(max_length=MAX_PATTERNS)]
Command = Annotated[Text, Field(max_length=MAX_COMMAND_CHARS)]
Label = Annotated[Text, Field(max_length=MAX_LABEL_CHARS)]
Seconds = Annotated[
    int,
    BeforeValidator(lambda value: _seconds(value) if isinstance(value, str) else value),
    Field(ge=60),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
Host = Annotated[Text, AfterValidator(_host)]
Name = Annotated[Text, Field(max_length=24, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]

# The published presets of Deno Deploy: `bot.wire.deploy_v2.Framework`.
FrameworkName = Literal[
    "nextjs",
    "astro",
    "nuxt",
    "remix",
    "solidstart",
    "tanstackstart",
    "sveltekit",
    "fresh",
    "lume",
]


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Keys(BaseModel):
    """What every part of the file has in common."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=_kebab,
        use_attribute_docstrings=True,
    )


class RecipeKeys(Keys):
    """Keys that count from the commit that is deployed, a pull request's included."""

    root: FolderPath | None = None
    """The folder that is the app, from the top of the repository."""

    include: Patterns | None = None
    """Globs of the files that are deployed, from the app's root; everything by default."""

    exclude: Patterns | None = None
    """Globs of files that are not deployed, from the app's root."""

    entrypoint: FilePath | None = None
    """The file that starts the app, from its root. An `index.html` serves its folder as it is."""

    framework: FrameworkName | None = None
    """A preset that knows how to install, build and start."""

    install: Command | None = None
    """The command that installs packages; null for none."""

    build: Command | None = None
    """The command that builds; null for none."""

    predeploy: Command | None = None
    """The command that runs after the build and before the app starts; null for none."""

    spa: bool | None = None
    """Whether unknown paths of a static site get its first page."""


class AppKeys(RecipeKeys):
    """Keys of an app; at the top of the file they are those of the only app, or of all apps."""

    mode: Literal["auto", "label", "command", "manual"] | None = None
    """What it takes to get a preview: a push, a label, a comment, or whoever asks."""

    branches: Patterns | None = None
    """Globs of the branches that are deployed; every branch by default."""

    paths: Patterns | None = None
    """Globs, from the top of the repository, of files whose change is worth a deployment."""

    label: Label | None = None
    """The label that asks for previews where `mode` is `label`; `preview` by default."""

    skip_labels: Annotated[list[Label], Field(max_length=MAX_LABELS)] | None = None
    """Pull requests with one of these labels are not deployed."""

    drafts: bool | None = None
    """Whether draft pull requests are deployed; true by default."""

    bots: bool | None = None
    """Whether pull requests of bots are deployed; true by default."""

    locked: Annotated[Text, Field(max_length=MAX_REASON_CHARS)] | None = None
    """Why nothing is deployed at present; while it is there, nothing is."""

    production: bool | None = None
    """Whether pushes to the default branch go to production; false by default."""

    production_domain: Host | None = None
    """A host for production, beside the app's own."""

    database: bool | None = None
    """Whether each preview has a KV database of its own, and production one; false by default."""

    target: Name | None = None
    """Where the app runs: the name of one of the operator's targets."""


class AppEntry(AppKeys):
    """One of several apps."""

    name: Name
    """What the app is called in checks and URLs, unique in the repository."""


class ConfigDocument(AppKeys):
    """How this repository is deployed by previewbot."""

    apps: Annotated[list[AppEntry], Field(min_length=1, max_length=MAX_APPS)] | None = None
    """The apps of a repository that has several; each takes from the top what it does not say."""

    surfaces: list[Literal["check", "deployment", "comment", "dispatch"]] | None = None
    """Where deployments show on GitHub."""

    ttl: Seconds | None = None
    """How long after its newest deployment a preview ends, such as `14d`."""

    idle: Seconds | None = None
    """How long after its last visitor a preview ends, such as `7d`."""

    max_previews: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """How many previews the repository may have; beyond it the oldest ends."""

    forks: Literal["approve", "never"] | None = None
    """Whether pull requests from forks are deployed once somebody approves them, or never."""

    lfs: bool | None = None
    """Whether files in Git LFS are fetched."""

    submodules: bool | None = None
    """Whether submodules are fetched."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ConfigDocument.model_json_schema(by_alias=True),
    }
