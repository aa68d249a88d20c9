"""Take down what a branch or pull request left when it is gone."""

from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from bot.core.decide.names import line_app, project_of
from bot.core.model.decisions import BuryPreviews
from bot.core.model.errors import ForgeError, TargetError
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.lines import BranchLine, ProductionLine, PullLine
from bot.core.model.outcomes import Withdrawn
from bot.core.model.preview import Deployment, DeploymentState, Preview
from bot.core.render import aftermath
from bot.pipeline.announce import publish
from bot.pipeline.conclude import conclude
from bot.pipeline.patience import patiently
from bot.pipeline.serving import serving_on
from bot.pipeline.surfaces import show_removed
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.target import Target

log = structlog.get_logger()


def tear_down(burial: BuryPreviews, services: Services, journal: Journal) -> None:
    """Bury the line's previews and remove their deployments; harmless when repeated.

    Buried first: an attempt that runs meanwhile sees it, and cancels what it made by itself. A
    platform that stays away, or will not, keeps its deployments; its URL is dead or old
    then, which a log line tells and which harms no other preview.
    """
    key, line = burial.repository.id, burial.line
    shown = serving_on(key, line, services) if burial.line_goes_on else []
    services.store.bury(key, line, burial.because, apps=burial.apps, removed=burial.line_goes_on)
    attempts = [
        attempt for attempt in services.store.attempts_on(key, line) if _is_meant(burial, attempt)
    ]
    for attempt in attempts:
        if attempt.state is DeploymentState.WAITING:  # nothing runs that would see it
            conclude(attempt.id, Withdrawn(because=burial.because), services, journal)
    for attempt in filter(partial(_is_meant, burial), shown):
        _say_removed(attempt, burial.because, services, journal)
    for preview in {attempt.preview.id: attempt.preview for attempt in attempts}.values():
        for name, made in _remains(preview, attempts, services).items():
            try:
                target = services.targets.platform(name)
                patiently(journal, partial(_remove, preview, made, target))
            except TargetError as error:
                log.warning("preview_not_removed", preview=preview.id, problem=str(error))
            else:
                log.info("preview_removed", preview=preview.id, deployments=len(made))
        show_removed(preview, services, journal)


def _is_meant(burial: BuryPreviews, attempt: Deployment) -> bool:
    return burial.apps is None or attempt.preview.app in burial.apps


def _say_removed(attempt: Deployment, because: str, services: Services, journal: Journal) -> None:
    """Let the check of what was live tell that it is not any more, and how to get it back."""
    check = aftermath.removed(attempt, because, page_url=services.page_url(attempt.id))
    try:
        patiently(journal, partial(publish, check, attempt, services))
    except ForgeError as error:
        log.warning("check_not_published", deployment=attempt.id, problem=str(error))


def _remains(
    preview: Preview, attempts: Iterable[Deployment], services: Services
) -> Mapping[str, list[TargetDeploymentId]]:
    """Return what its attempts made, by the name of every target on which one began."""
    found: dict[str, list[TargetDeploymentId]] = {}
    for attempt in attempts:
        begun = attempt.target is not None or attempt.target_id is not None
        if attempt.preview.id == preview.id and begun:
            made = found.setdefault(services.targets.name_of(attempt), [])
            made += [] if attempt.target_id is None else [attempt.target_id]
    return found or {services.targets.usual.name: []}


def _remove(preview: Preview, made: list[TargetDeploymentId], target: Target) -> None:
    match preview.line:
        case BranchLine() | ProductionLine():
            app = line_app(preview.slug, preview.repository, preview.line)
            target.remove(app, preview.repository, made)
        case PullLine():
            project = project_of(preview.slug, preview.repository, preview.line)
            target.remove_project(project, preview.repository)  # it has no other previews
