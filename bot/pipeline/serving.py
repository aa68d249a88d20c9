"""Which attempt a preview's URL leads to."""

from collections.abc import Iterable

from bot.core.model.ids import RepositoryId
from bot.core.model.lines import Line
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


def serving_on(repository: RepositoryId, line: Line, services: Services) -> list[Deployment]:
    """Return, for each app with a preview on the line, the attempt that its URL leads to."""
    attempts = services.store.attempts_on(repository, line)
    previews = {attempt.preview.id: attempt.preview for attempt in attempts}
    found = (serving(preview, attempts) for preview in previews.values())
    return [attempt for attempt in found if attempt is not None]
