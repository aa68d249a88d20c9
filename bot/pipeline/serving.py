"""Which attempt a preview's URL leads to."""

from collections.abc import Iterable

from bot.core.model.preview import Deployment, DeploymentState, Preview


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
