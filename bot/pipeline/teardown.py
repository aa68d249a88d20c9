"""Take down what a branch or pull request left when it is gone."""

from functools import partial

import structlog

from bot.core.decide.names import line_app, project_of
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import Repository, TargetDeploymentId
from bot.core.model.lines import BranchLine, Line, PullLine
from bot.core.model.outcomes import Withdrawn
from bot.core.model.preview import DeploymentState, Preview
from bot.pipeline.conclude import conclude
from bot.pipeline.patience import patiently
from bot.pipeline.surfaces import show_removed
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def tear_down(
    repository: Repository, line: Line, because: str, services: Services, journal: Journal
) -> None:
    """Bury the line's previews and remove their deployments; harmless when repeated.

    Buried first: an attempt that runs meanwhile sees it, and cancels what it made by itself. A
    platform that stays away, or will not, keeps its deployments; its URL is dead or old
    then, which a log line tells and which harms no other preview.
    """
    services.store.bury(repository.id, line, because)
    attempts = services.store.attempts_on(repository.id, line)
    for attempt in attempts:
        if attempt.state is DeploymentState.WAITING:  # nothing runs that would see it
            conclude(attempt.id, Withdrawn(because=because), services, journal)
    for preview in {attempt.preview.id: attempt.preview for attempt in attempts}.values():
        made = [
            attempt.target_id
            for attempt in attempts
            if attempt.preview.id == preview.id and attempt.target_id is not None
        ]
        try:
            patiently(journal, partial(_remove, preview, made, services))
        except (TargetRefused, TargetUnavailable) as error:
            log.warning("preview_not_removed", preview=preview.id, problem=str(error))
        else:
            log.info("preview_removed", preview=preview.id, deployments=len(made))
        show_removed(preview, services, journal)


def _remove(preview: Preview, made: list[TargetDeploymentId], services: Services) -> None:
    target = services.target
    match preview.line:
        case BranchLine():
            app = line_app(preview.slug, preview.repository, preview.line)
            target.remove(app, preview.repository, made)
        case PullLine():
            project = project_of(preview.slug, preview.repository, preview.line)
            target.remove_project(project, preview.repository)  # it has no other previews
