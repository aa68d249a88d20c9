"""Let a preview's URLs on the target that it has left serve nothing."""

from functools import partial

import structlog

from bot.core.model.errors import TargetError
from bot.pipeline.attempt import Attempt
from bot.pipeline.patience import patiently
from bot.pipeline.serving import labels_of_pulls

log = structlog.get_logger()


def leave_elsewhere(attempt: Attempt) -> None:
    """Take the stable URLs from what was live on another target until now.

    Its deployments stay as long as the preview does, so that it can be rolled back to. A target
    that stays away, or is not configured any more, keeps its URL, which a log line tells.
    """
    services, deployment = attempt.services, attempt.now()
    preview, targets = deployment.preview, attempt.services.targets
    before = services.store.newest_live(preview.repository.id, preview.line, preview.app)
    if before is None or before.target_id is None:
        return
    if targets.name_of(before) == targets.name_of(deployment):
        return
    labels = [] if preview.label is None else [preview.label]
    try:
        target = targets.of(before)
        for label in [*labels, *labels_of_pulls(before, services)]:
            unbind = partial(target.unbind, before.target_id, label)
            patiently(attempt.journal, unbind)
    except TargetError as error:
        log.warning("old_url_left", deployment=before.id, problem=str(error))
