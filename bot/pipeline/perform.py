"""Intents -> effects, one exhaustive match."""

from functools import partial
from typing import assert_never

from bot.core.decide.names import line_label, slug_candidates
from bot.core.model.decisions import BuryPreviews, Decision, StartDeployment
from bot.core.model.ids import AppSlug, DeliveryKey, HostLabel
from bot.core.render import checks
from bot.pipeline.announce import announce
from bot.pipeline.teardown import tear_down
from bot.ports.inbox import QueuedDeployment
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.store import PreviewWanted


def perform(
    decision: Decision, delivery: DeliveryKey, services: Services, journal: Journal
) -> list[QueuedDeployment]:
    """Carry out the intents and return the deployments that are to be enqueued."""
    queued: list[QueuedDeployment] = []
    for intent in decision.intents:
        match intent:
            case StartDeployment():
                queued.append(_plan(intent, delivery, services))
            case BuryPreviews():
                tear_down(intent.repository, intent.line, services, journal)
            case _:
                assert_never(intent)
    return queued


def _plan(intent: StartDeployment, delivery: DeliveryKey, services: Services) -> QueuedDeployment:
    """Allocate the attempt and show it as queued, before anything can run it.

    The check is made here and not by the deployment, so that a commit which waits behind another
    one already carries it; nobody else writes to it before the deployment is enqueued.
    """
    wanted = PreviewWanted(
        repository=intent.repository,
        line=intent.line,
        app=intent.app,
        slug_candidates=slug_candidates(intent.repository, intent.app),
        label_of=partial(_label, intent=intent),
    )
    plan = services.store.plan(delivery, intent.head, wanted)
    deployment = plan.deployment
    queued = checks.queued(deployment, page_url=services.page_url(deployment.id))
    announce(queued, deployment, services)
    return QueuedDeployment(
        deployment=deployment.id,
        preview=deployment.preview.id,
        generation=deployment.generation,
    )


def _label(slug: AppSlug, *, intent: StartDeployment) -> HostLabel:
    return line_label(slug, intent.repository, intent.line)
