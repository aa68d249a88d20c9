"""What the forge's list of deployments says about an attempt, made from the record alone.

So it can be made again at any time, and compared with what was said before.
"""

from typing import assert_never

from bot.core.model.lines import PRODUCTION, BranchLine, ProductionLine, PullLine
from bot.core.model.preview import Deployment, DeploymentState, Preview
from bot.core.model.surfaces import ShownDeployment, ShownState
from bot.core.render import markdown

# Of a status of a deployment; longer ones are answered 422.
MAX_DESCRIPTION_CHARS = 140

# What the form for a new environment takes; the API's own limit is not documented.
MAX_ENVIRONMENT_CHARS = 255

_REMOVED = "The preview was removed"
_REPLACED = "A newer deployment took its place"


def shown(
    deployment: Deployment, *, serves: bool, environment: str, page_url: str | None
) -> ShownDeployment | None:
    """Return how the attempt is to stand, None as long as it has not begun.

    `serves`: it is the one that the preview's URL leads to.
    """
    state = _state(deployment, serves=serves)
    if state is None:
        return None
    preview = deployment.preview
    return ShownDeployment(
        deployment=deployment.id,
        repository=preview.repository,
        ref=_ref(deployment),
        head=deployment.head,
        app=preview.slug,
        environment=environment_name(environment, preview),
        production=preview.line == PRODUCTION,
        state=state,
        description=markdown.line(
            _description(deployment, state), max_chars=MAX_DESCRIPTION_CHARS
        ),
        environment_url=_url(deployment) if state is ShownState.SUCCESS else None,
        log_url=page_url,
    )


def environment_name(template: str, preview: Preview) -> str:
    """Return the environment that the preview's deployments are filed under."""
    if preview.line == PRODUCTION:
        return "production"
    own = (preview.label or preview.slug).removeprefix(f"{preview.slug}--")
    name = template.replace("{app}", preview.slug).replace("{preview}", own)
    return name[:MAX_ENVIRONMENT_CHARS]


def is_of_one_preview(template: str) -> bool:
    """Tell whether each preview has an environment of its own, which nobody needs after it."""
    return "{preview}" in template


def _state(deployment: Deployment, *, serves: bool) -> ShownState | None:
    match deployment.state:
        case DeploymentState.WAITING | DeploymentState.QUEUED | DeploymentState.SKIPPED:
            return None
        case DeploymentState.DEPLOYING:
            return ShownState.INACTIVE if deployment.preview.buried else ShownState.IN_PROGRESS
        case DeploymentState.LIVE:
            return ShownState.SUCCESS if serves else ShownState.INACTIVE
        case DeploymentState.FAILED | DeploymentState.TIMED_OUT:
            return ShownState.FAILURE
        case DeploymentState.SUPERSEDED:
            return ShownState.INACTIVE  # a red mark would blame the author for pushing on
        case _:
            assert_never(deployment.state)


def _description(deployment: Deployment, state: ShownState) -> str:
    match state:
        case ShownState.IN_PROGRESS:
            return "Deploying"
        case ShownState.SUCCESS | ShownState.FAILURE:
            return deployment.title
        case ShownState.INACTIVE:
            if deployment.preview.buried:
                return _REMOVED
            return _REPLACED if deployment.state is DeploymentState.LIVE else deployment.title
        case _:
            assert_never(state)


def _ref(deployment: Deployment) -> str:
    """Return the branch; of a fork's branch the repository knows only the commit."""
    match deployment.preview.line:
        case BranchLine(branch):
            return branch
        case PullLine():
            return deployment.head
        case ProductionLine():
            return deployment.preview.repository.default_branch


def _url(deployment: Deployment) -> str | None:
    return deployment.url or deployment.deployment_url
