"""The URLs of pull requests from branches of the repository: more names of the branches' own."""

from collections.abc import Callable
from functools import partial

import structlog

from bot.core.decide.names import pull_label
from bot.core.model.errors import TargetError
from bot.core.model.ids import Branch, HostLabel, PullNumber, Repository, TargetDeploymentId
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment
from bot.pipeline.patience import patiently
from bot.pipeline.recorded import tell_pull_urls
from bot.pipeline.serving import labels_of_pulls, serving_on
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def bind_pulls(
    made: TargetDeploymentId, deployment: Deployment, services: Services, journal: Journal
) -> tuple[str, ...]:
    """Let the URL of every open pull request from the branch serve `made`; return those URLs."""
    labels = labels_of_pulls(deployment, services)
    for label in labels:
        bind = partial(services.targets.of(deployment).bind, made, label, deployment.head)
        patiently(journal, bind)
    return tuple(labels.values())


def show_pulls(deployment: Deployment, services: Services, journal: Journal) -> None:
    """Do the same for pull requests that were opened while the attempt came to its end.

    Whoever opens one looks whether the attempt is live after recording it, and this looks for
    recorded ones after the attempt is live: one of the two sees the other.
    """
    for current in serving_on(deployment.preview.repository.id, deployment.preview.line, services):
        if current.id == deployment.id and current.target_id is not None:
            bind = partial(bind_pulls, current.target_id, current, services, journal)
            if _is_done(bind, current):
                tell_pull_urls(current, services, journal)


def show_pull(
    repository: Repository, branch: Branch, services: Services, journal: Journal
) -> None:
    """Let the URLs of the branch's pull requests serve what the branch's own does."""
    for current in serving_on(repository.id, BranchLine(branch), services):
        show_pulls(current, services, journal)


def hide_pull(
    repository: Repository,
    branch: Branch,
    number: PullNumber,
    services: Services,
    journal: Journal,
) -> None:
    """Let the URL of a pull request that was closed serve nothing; harmless when repeated."""
    for current in serving_on(repository.id, BranchLine(branch), services):
        label = pull_label(current.preview.slug, number)
        _is_done(partial(_unbind, current, label, services, journal), current)
        tell_pull_urls(current, services, journal)


def _unbind(current: Deployment, label: HostLabel, services: Services, journal: Journal) -> None:
    target, made = services.targets.of(current), current.target_id
    if made is not None and target.url(label) is not None:
        patiently(journal, partial(target.unbind, made, label))


def _is_done(do: Callable[[], object], deployment: Deployment) -> bool:
    """Do it, or say in the log that the platform did not; the branch's own URL is not touched."""
    try:
        do()
    except TargetError as error:
        log.warning("pull_request_not_shown", deployment=deployment.id, problem=str(error))
        return False
    return True
