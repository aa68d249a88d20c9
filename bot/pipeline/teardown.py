"""Take down what a branch left when it is gone."""

from functools import partial

import structlog

from bot.core.decide.names import branch_app
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import Branch, Repository
from bot.pipeline.patience import patiently
from bot.pipeline.surfaces import show_removed
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def tear_down(
    repository: Repository, branch: Branch, services: Services, journal: Journal
) -> None:
    """Bury the branch's previews and remove their deployments; harmless when repeated.

    Buried first: an attempt that runs meanwhile sees it, and cancels what it made by itself. A
    platform that stays away, or will not, keeps its deployments; the branch's URL is dead or old
    then, which a log line tells and which harms no other preview.
    """
    services.store.bury(repository.id, branch)
    attempts = services.store.attempts_on(repository.id, branch)
    for preview in {attempt.preview.id: attempt.preview for attempt in attempts}.values():
        made = [
            attempt.target_id
            for attempt in attempts
            if attempt.preview.id == preview.id and attempt.target_id is not None
        ]
        app = branch_app(preview.slug, preview.repository, preview.branch)
        try:
            patiently(
                journal,
                partial(services.target.remove, app, repository, made),
            )
        except (TargetRefused, TargetUnavailable) as error:
            log.warning("preview_not_removed", preview=preview.id, problem=str(error))
        else:
            log.info("preview_removed", preview=preview.id, deployments=len(made))
        show_removed(preview, services, journal)
