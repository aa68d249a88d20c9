"""Allocate attempts, and show each on its commit before anything can run it."""

from dataclasses import replace
from functools import partial

import structlog

from bot.core.decide.names import line_label, slug_candidates
from bot.core.model.briefs import Brief
from bot.core.model.commands import Authority
from bot.core.model.decisions import (
    AwaitApproval,
    Promote,
    RollBack,
    SkipDeployment,
    StartDeployment,
)
from bot.core.model.errors import ForgeError, ForgeUnavailable
from bot.core.model.ids import AppName, AppSlug, DeliveryKey, DeploymentId, HostLabel, Repository
from bot.core.model.lines import PRODUCTION, Line, PullLine
from bot.core.model.outcomes import Superseded
from bot.core.model.preview import Deployment
from bot.core.render import approvals, checks
from bot.pipeline.announce import announce, owe, publish
from bot.pipeline.conclude import conclude
from bot.pipeline.patience import patiently
from bot.ports.inbox import QueuedDeployment
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.store import Plan, PreviewWanted

log = structlog.get_logger()


def start(
    intent: StartDeployment, delivery: DeliveryKey, services: Services, journal: Journal
) -> QueuedDeployment:
    """Allocate the attempt and show it as queued, before anything can run it.

    The check is made here and not by the deployment, so that a commit which waits behind another
    one already carries it; nobody else writes to it before the deployment is enqueued.
    """
    wanted = _wanted(intent.repository, intent.line, intent.app)
    plan = services.store.plan(delivery, intent.head, wanted, intent.brief)
    deployment = plan.deployment
    queued = checks.queued(deployment, page_url=services.page_url(deployment.id))
    announce(queued, deployment, services)
    _drop_waiting(plan, services, journal)
    return _to_be_run(deployment)


def skip(
    intent: SkipDeployment, delivery: DeliveryKey, services: Services, journal: Journal
) -> None:
    """Allocate an attempt that is over at once, so that its commit has a check that says why."""
    wanted = _wanted(intent.repository, intent.line, intent.app)
    plan = services.store.plan(delivery, intent.head, wanted, Brief(deploys=False))
    if not plan.deployment.is_over:
        conclude(plan.deployment.id, intent.outcome, services, journal)
    _drop_waiting(plan, services, journal)


def await_approval(
    intent: AwaitApproval, delivery: DeliveryKey, services: Services, journal: Journal
) -> None:
    """Allocate the attempt and ask for somebody's approval; nothing runs it until then."""
    wanted = _wanted(intent.repository, PullLine(intent.pull), intent.app)
    plan = services.store.plan(delivery, intent.head, wanted, intent.brief, waits=True)
    deployment = plan.deployment
    waiting = approvals.waiting(deployment, page_url=services.page_url(deployment.id))
    try:
        patiently(journal, lambda: publish(waiting, deployment, services))
    except ForgeError as error:
        # Who knows the commit can approve it by a comment, with or without its check.
        log.warning("check_not_published", deployment=deployment.id, problem=str(error))
        if isinstance(error, ForgeUnavailable):
            owe(deployment, services)
    _drop_waiting(plan, services, journal)


def roll_back(
    intent: RollBack, authority: Authority | None, delivery: DeliveryKey, services: Services
) -> QueuedDeployment:
    """Allocate an attempt that makes nothing, but serves what an earlier one made."""
    wanted = _wanted(intent.repository, intent.line, intent.app)
    brief = Brief(
        back_to=intent.to,
        instead_of=intent.instead_of,
        production=intent.production,
        authority=authority,
    )
    deployment = services.store.plan(delivery, intent.head, wanted, brief).deployment
    queued = checks.queued(deployment, page_url=services.page_url(deployment.id))
    announce(queued, deployment, services)
    return _to_be_run(deployment)


def promote(
    intent: Promote, authority: Authority | None, delivery: DeliveryKey, services: Services
) -> QueuedDeployment:
    """Allocate an attempt of production that runs what a preview's deployment is made of."""
    wanted = _wanted(intent.repository, PRODUCTION, intent.app)
    brief = replace(
        _told(intent.promoted, services),
        promoted=intent.promoted,
        instead_of=intent.instead_of,
        production=intent.production,
        authority=authority,
        anew=True,
    )
    deployment = services.store.plan(delivery, intent.head, wanted, brief).deployment
    queued = checks.queued(deployment, page_url=services.page_url(deployment.id))
    announce(queued, deployment, services)
    return _to_be_run(deployment)


def _told(key: DeploymentId, services: Services) -> Brief:
    """Return what was told to whoever made what `key` serves: going back makes nothing."""
    brief = services.store.brief(key)
    while brief.back_to is not None:
        brief = services.store.brief(brief.back_to)
    return brief


def _drop_waiting(plan: Plan, services: Services, journal: Journal) -> None:
    """Conclude the attempts that nobody needs to approve any more; nothing else would."""
    for dropped in plan.dropped:
        outcome = Superseded(by=plan.deployment.head)
        conclude(dropped.id, outcome, services, journal)


def _to_be_run(deployment: Deployment) -> QueuedDeployment:
    return QueuedDeployment(
        deployment=deployment.id,
        preview=deployment.preview.id,
        generation=deployment.generation,
    )


def _wanted(repository: Repository, line: Line, app: AppName) -> PreviewWanted:
    return PreviewWanted(
        repository=repository,
        line=line,
        app=app,
        slug_candidates=slug_candidates(repository, app),
        label_of=partial(_label, repository=repository, line=line),
    )


def _label(slug: AppSlug, *, repository: Repository, line: Line) -> HostLabel:
    return line_label(slug, repository, line)
