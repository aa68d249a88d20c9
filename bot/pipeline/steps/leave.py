"""Let a preview's URLs on the target that it has left serve nothing."""

from functools import partial

import structlog

from bot.core.decide.names import pull_label
from bot.core.model.errors import TargetError
from bot.core.model.ids import HostLabel
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment
from bot.pipeline.attempt import Attempt
from bot.pipeline.patience import patiently

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
    try:
        target = targets.of(before)
        for label in _labels(attempt, before):
            unbind = partial(target.unbind, before.target_id, label)
            patiently(attempt.journal, unbind)
    except TargetError as error:
        log.warning("old_url_left", deployment=before.id, problem=str(error))


def _labels(attempt: Attempt, before: Deployment) -> list[HostLabel]:
    preview = before.preview
    labels = [] if preview.label is None else [preview.label]
    if isinstance(preview.line, BranchLine):
        pulls = attempt.services.pulls.open_from(preview.repository.id, preview.line.branch)
        labels += [pull_label(preview.slug, pull.number) for pull in pulls]
    return labels
