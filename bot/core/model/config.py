"""What a repository says about its previews: `.github/previewbot.yml` as values.

A `Recipe` says how an app's files become something that runs, and is read from the very commit.
Everything else grants power or costs money, and is read from the default branch alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.core.model.ids import AppName
from bot.core.model.outcomes import Annotation
from bot.core.model.surfaces import Surface

# The first that exists counts.
CONFIG_PATHS = (".github/previewbot.yml", ".github/previewbot.yaml")
DENO_PATHS = ("deno.json", "deno.jsonc")  # below an app's root; Deno's own order


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which files make an app, and how they are built and served; None where nothing is said.

    Every path is relative, and clean in the sense of `bot.kernel.paths`.
    """

    root: str | None = None  # a folder; None: the whole repository
    include: tuple[str, ...] = ()  # globs below the root; none: everything
    exclude: tuple[str, ...] = ()
    entrypoint: str | None = None  # below the root; an index.html serves its folder as it is
    framework: str | None = None  # a preset of Deno Deploy's
    install: str | None = None  # a command; "" turns off what would be run otherwise
    build: str | None = None
    predeploy: str | None = None
    spa: bool | None = None  # unknown paths of a static site get its first page

    @property
    def says_how_to_build(self) -> bool:
        """Tell whether it stands in for what deno.json says about the build and the runtime."""
        said = (self.framework, self.install, self.build, self.predeploy, self.entrypoint)
        return self.spa is not None or any(each is not None for each in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoFile:
    """The `deploy` key of an app's deno.json, which its platform reads for itself."""

    path: str
    says_how_to_build: bool = False
    entrypoint: str | None = None  # below the app's root; a site's is its first page
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    org: str | None = None  # grants power: counts from the default branch alone, as `app` does
    app: str | None = None
    problems: tuple[Annotation, ...] = ()


class Mode(StrEnum):
    """What it takes to get a preview."""

    AUTO = "auto"  # a push
    LABEL = "label"  # a label on the pull request
    COMMAND = "command"  # a comment, for every commit
    MANUAL = "manual"  # the command line or the API


# Put on a pull request to ask for previews where the mode is `label`.
PREVIEW_LABEL = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When an app is deployed."""

    mode: Mode = Mode.AUTO
    branches: tuple[str, ...] = ()  # globs; none: every branch
    paths: tuple[str, ...] = ()  # globs from the repository's root; none: every change counts
    label: str = PREVIEW_LABEL
    skip_labels: tuple[str, ...] = ()
    drafts: bool = True  # whether pull requests that are drafts are deployed
    bots: bool = True  # whether pull requests of bots are deployed
    locked: str | None = None  # why nothing is deployed at present


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """Pushes to the default branch go to production."""

    domain: str | None = None  # a host beside the app's own


# The app of a repository that has one.
THE_ONLY_APP = AppName("")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """One deployable thing in a repository."""

    name: AppName = THE_ONLY_APP
    recipe: Recipe = Recipe()
    rules: Rules = Rules()
    production: Production | None = None  # None: only previews
    database: bool = False  # whether each preview has a KV database, and production one
    target: str | None = None  # one of the operator's targets; None: the usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """When a preview ends by itself; None leaves it to the operator."""

    longest: timedelta | None = None  # since its newest deployment
    idle: timedelta | None = None  # since its last visitor
    most: int | None = None  # previews of the repository at a time; the oldest goes


class ForkPolicy(StrEnum):
    """What becomes of pull requests from forks."""

    APPROVE = "approve"  # each head waits for somebody's approval
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryConfig:
    """All that a repository says; the defaults are those of one without the file."""

    apps: tuple[AppConfig, ...] = (AppConfig(),)
    surfaces: frozenset[Surface] | None = None  # None: the operator's choice
    lifetimes: Lifetimes = Lifetimes()
    forks: ForkPolicy = ForkPolicy.APPROVE
    lfs: bool = False  # whether files in Git LFS are fetched
    submodules: bool = False

    def app(self, name: AppName) -> AppConfig | None:
        """Return the app of this name, if there is one."""
        return next((app for app in self.apps if app.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in a file; both count from 1."""

    line: int
    column: int


# Steps from the top of a document: names of keys and numbers of list entries.
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A configuration file as it was read, right or wrong."""

    path: str
    config: RepositoryConfig | None  # None: something in it is wrong
    problems: tuple[Annotation, ...] = ()  # failures exactly when there is no configuration
    places: Mapping[KeyPath, Place] = field(default_factory=dict)  # of the keys that it has


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The configuration that counts, and what the commit's author should know about the file."""

    config: RepositoryConfig
    remarks: tuple[Annotation, ...] = ()


# A repository without any file.
NOTHING_SAID = Counting(config=RepositoryConfig())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistaken:
    """There is no configuration: a file is wrong.

    `apps` are those whose checks have to say so, as far as they are known.
    """

    problems: tuple[Annotation, ...]
    in_commit: bool  # False: on the default branch, and nothing in this commit can be blamed
    apps: tuple[AppName, ...] = (THE_ONLY_APP,)
