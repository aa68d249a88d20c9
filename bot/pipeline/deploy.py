"""The main road: acquire -> manifest -> upload -> build -> probe -> bind -> report.

Every step is harmless when run again, because each outside effect has a natural key; the journal
only saves the work of repeating them.
"""

from dataclasses import replace

import structlog

from bot.core.model.errors import BotError
from bot.core.model.ids import DeploymentId
from bot.core.model.outcomes import Failed, Outcome
from bot.core.model.preview import DeploymentState
from bot.pipeline.attempt import Attempt
from bot.pipeline.gate import stopped
from bot.pipeline.narrator import narrated
from bot.pipeline.pulls import show_pulls
from bot.pipeline.steps.acquire import acquire
from bot.pipeline.steps.bind import bind
from bot.pipeline.steps.go_back import Found, go_back, say_set_back
from bot.pipeline.steps.probe import probe
from bot.pipeline.steps.report import report
from bot.pipeline.steps.upload import Uploaded, upload
from bot.pipeline.steps.watch import watch
from bot.pipeline.surfaces import show
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.target import Target

log = structlog.get_logger()


def deploy(key: DeploymentId, services: Services, journal: Journal) -> None:
    """Bring one attempt to its end, and its commit to a terminal check."""
    if services.store.deployment(key).is_over:
        _show(key, services, journal)  # whoever brought it to its end may have died before this
        return
    with narrated(key, services) as narrator:
        attempt = Attempt(key=key, services=services, journal=journal, narrator=narrator)
        outcome = _ended(attempt)
    journal.step("report", lambda: report(attempt, outcome))
    narrator.wait_until_shown()
    journal.step("show", lambda: _show(key, services, journal))


def _show(key: DeploymentId, services: Services, journal: Journal) -> None:
    say_set_back(key, services, journal)
    show_pulls(services.store.deployment(key), services, journal)
    show(key, services, journal)


def _ended(attempt: Attempt) -> Outcome:
    """Return how the attempt ends, whatever happens on the road."""
    try:
        return _travel(attempt)
    except BotError as error:
        log.warning("deployment_broke_off", problem=str(error))
        return Failed(title="Could not deploy", explanation=str(error))
    except Exception:
        # The boundary of a job: whatever it was, the commit must not be left without an answer.
        log.exception("deployment_crashed")
        return Failed(
            title="Internal error",
            explanation="previewbot met a problem of its own; the operator's log has the details.",
        )


def _travel(attempt: Attempt) -> Outcome:
    """Return where the road ended."""
    step = attempt.journal.step
    begun = step("begin", lambda: _begin(attempt))
    if begun is not None:
        return begun
    back_to = attempt.brief.back_to
    return _on_the_road(attempt) if back_to is None else _on_the_way_back(attempt, back_to)


def _on_the_way_back(attempt: Attempt, to: DeploymentId) -> Outcome:
    """Return how going back to an earlier deployment ended."""
    step = attempt.journal.step
    found = step("go_back", lambda: go_back(attempt, to))
    if not isinstance(found, Found):
        return found
    return step("bind", lambda: bind(attempt, found.uploaded, found.url))


def _on_the_road(attempt: Attempt) -> Outcome:
    """Return where the road ended that begins with a fetch."""
    step = attempt.journal.step
    ended = step("acquire", lambda: acquire(attempt))
    if ended is not None:
        return ended
    uploaded = step("upload", lambda: upload(attempt))
    if not isinstance(uploaded, Uploaded):
        return uploaded
    watched = step("build", lambda: watch(attempt, uploaded))
    if not isinstance(watched, tuple):
        return watched
    probed = step("probe", lambda: probe(attempt, uploaded, watched))
    if not isinstance(probed, str):
        return probed
    return step("bind", lambda: bind(attempt, uploaded, probed))


def _begin(attempt: Attempt) -> Outcome | None:
    """Move to deploying, unless the attempt is pointless before it began."""
    deployment = attempt.now()
    if (given_up := attempt.given_up()) is not None:
        return given_up
    if (stop := stopped(attempt)) is not None:
        return stop
    if deployment.preview.label is None:
        return Failed(
            title="The branch's URL belongs to another branch",
            explanation=(
                "Two branches of this installation would get the same host name, and the other "
                "one came first. Rename this branch, or delete the other one's preview."
            ),
        )
    begun = replace(
        deployment.moved_to(DeploymentState.DEPLOYING),
        target=deployment.target or _place(attempt).name,
    )
    attempt.services.store.save(begun)
    return None


def _place(attempt: Attempt) -> Target:
    """Return where the attempt is to run: where what it uses again is, else where it was told."""
    services, brief = attempt.services, attempt.brief
    used_again = brief.back_to or brief.promoted
    if used_again is not None:
        return services.targets.of(services.store.deployment(used_again))
    return services.targets.called(brief.target)
