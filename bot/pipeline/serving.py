"""Which attempt a preview's URL leads to."""

from collections.abc import Iterable

from bot.core.decide.names import pull_label
from bot.core.model.ids import HostLabel, RepositoryId
from bot.core.model.lines import BranchLine, Line
from bot.core.model.preview import Deployment, DeploymentState, Preview
from bot.ports.services import Services


def serving(preview: Preview, attempts: Iterable[Deployment]) -> Deployment | None:
    """Return the newest of `attempts` that came live; None when the preview is gone."""
    if preview.buried:
        return None
    live = [
        attempt
        for attempt in attempts
        if attempt.preview.id == preview.id and attempt.state is DeploymentState.LIVE
    ]
    return max(live, key=lambda attempt: attempt.generation, default=None)


def serves(attempt: Deployment, services: Services) -> bool:
    """Tell whether the preview's URL leads to this attempt."""
    preview = attempt.preview
    found = serving(preview, services.store.attempts_on(preview.repository.id, preview.line))
    return found is not None and found.id == attempt.id


def labels_of_pulls(attempt: Deployment, services: Services) -> dict[HostLabel, str]:
    """Return the labels of the open pull requests from the attempt's branch, with their URLs.

    None on a platform that names its hosts itself: there the branch's URL is all there is.

    Raises:
        TargetNotConfigured: no target leads to the attempt's platform any more.

    """
    preview = attempt.preview
    if not isinstance(preview.line, BranchLine):
        return {}
    pulls = services.pulls.open_from(preview.repository.id, preview.line.branch)
    labels = [pull_label(preview.slug, pull.number) for pull in pulls]
    target = services.targets.of(attempt)
    return {label: url for label in labels if (url := target.url(label)) is not None}


def serving_on(repository: RepositoryId, line: Line, services: Services) -> list[Deployment]:
    """Return, for each app with a preview on the line, the attempt that its URL leads to."""
    attempts = services.store.attempts_on(repository, line)
    previews = {attempt.preview.id: attempt.preview for attempt in attempts}
    found = (serving(preview, attempts) for preview in previews.values())
    return [attempt for attempt in found if attempt is not None]
