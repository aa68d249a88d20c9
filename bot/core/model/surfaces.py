"""Where a deployment shows on the forge, beside the pages that are ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core.model.ids import CommitSha, DeploymentId, PullNumber, Repository


class Surface(StrEnum):
    """One of the places; each can be switched off, and then nothing is written there."""

    CHECK = "check"  # with a token that may not write checks: a commit status
    DEPLOYMENT = "deployment"  # GitHub's Deployments and environments
    COMMENT = "comment"  # one per pull request, edited in place
    DISPATCH = "dispatch"  # repository_dispatch events, for workflows that test the preview


# A comment notifies everybody who watches, and an event needs `contents: write`: on request only.
DEFAULT_SURFACES = frozenset({Surface.CHECK, Surface.DEPLOYMENT})

DEFAULT_ENVIRONMENT = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How deployments show: where, and the environment that GitHub files them under.

    `environment` may hold `{app}`, the app's slug, and `{preview}`, the preview's part of its
    host name; one with `{preview}` belongs to a single preview and goes with it.
    """

    surfaces: frozenset[Surface] = DEFAULT_SURFACES
    environment: str = DEFAULT_ENVIRONMENT


class ShownState(StrEnum):
    """How a deployment stands on the forge; the value is the state of GitHub's status."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    INACTIVE = "inactive"  # of a transient environment GitHub says "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDeployment:
    """One attempt among the forge's deployments; `deployment` is its natural key."""

    deployment: DeploymentId
    repository: Repository
    # The branch: by it GitHub finds what a pull request's head was deployed to. For a fork's
    # branch, which the repository does not have, the commit.
    ref: str
    head: CommitSha  # what was deployed, wherever the branch points when the forge is told
    app: str
    environment: str
    state: ShownState
    description: str  # plain text
    production: bool  # GitHub marks it so, and it is not transient
    environment_url: str | None  # where the preview is, None unless it is there
    log_url: str | None  # our page


@dataclass(frozen=True, slots=True, kw_only=True)
class StickyComment:
    """Our comment on a pull request; there is one, which its marker and its author tell."""

    repository: Repository
    pull: PullNumber
    marker: str  # what `body` begins with
    body: str  # Markdown, already within the forge's limits


class News(StrEnum):
    """What is told to workflows; the value is the event's type, and part of the interface."""

    READY = "previewbot.ready"
    FAILED = "previewbot.failed"
    REMOVED = "previewbot.removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One piece of news about an attempt; its receivers tell repetitions by `deployment`."""

    deployment: DeploymentId
    repository: Repository
    news: News
    facts: Mapping[str, str | None]  # at most 10
