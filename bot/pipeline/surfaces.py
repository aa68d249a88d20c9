"""Bring what stands on the forge beside the check to what the record says.

Every text is made from the record alone, so it can be brought up to date at any time, by whoever
comes after a crash too. After a write the record is looked at once more: it may have changed while
the forge was told, by a teardown for instance.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from bot.core.model.errors import ForgeError
from bot.core.model.ids import Branch, DeploymentId, Repository
from bot.core.model.lines import PRODUCTION, BranchLine
from bot.core.model.preview import Deployment, Preview
from bot.core.model.surfaces import News, ShownDeployment, ShownState, Surface
from bot.core.render import deployments as rendered
from bot.core.render import notices
from bot.pipeline.comments import show_comments
from bot.pipeline.patience import patiently
from bot.pipeline.serving import serves
from bot.pipeline.showing import surfaces_of, surfaces_of_preview
from bot.ports.journal import Journal
from bot.ports.postings import Posting
from bot.ports.services import Services

log = structlog.get_logger()

Result = TypeVar("Result")

# A record that still differs from what was said after so many writes changes faster than anybody
# reads; the next occasion will find it.
MAX_WRITES = 3

# Deleting many at once runs into GitHub's secondary limits: each deletion counts five of the 900
# points of a minute.
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
REMOVED = 50
BETWEEN_REMOVALS = timedelta(seconds=20)

_ACTIVE = {ShownState.IN_PROGRESS, ShownState.SUCCESS}


def show(key: DeploymentId, services: Services, journal: Journal | None) -> None:
    """Bring every surface but the check up to date with an attempt; harmless when repeated.

    A forge that is away is waited for where there is a journal to wait in. A surface that it does
    not take is let go, with a line in the log.
    """
    preview = services.store.deployment(key).preview
    surfaces = surfaces_of(key, services)
    if Surface.DEPLOYMENT in surfaces:
        _let_go(partial(_show_deployment, key, services, journal), preview)
        _let_go(partial(_retire, preview, services, journal), preview)
    if Surface.DISPATCH in surfaces:
        _let_go(partial(_tell, key, services, journal), preview)
    if Surface.COMMENT in surfaces:
        _let_go(partial(_comment, preview, services, journal), preview)


def show_on_pulls(
    repository: Repository, branch: Branch, services: Services, journal: Journal
) -> None:
    """Let pull requests that were just opened or closed have their comment; may be repeated.

    Where something is still being deployed, its end writes it, and two at once could write two.
    """
    attempts = services.store.attempts_on(repository.id, BranchLine(branch))
    if not all(attempt.is_over for attempt in attempts):
        return
    for preview in {attempt.preview.id: attempt.preview for attempt in attempts}.values():
        if Surface.COMMENT in surfaces_of_preview(preview, services):
            _let_go(partial(_comment, preview, services, journal), preview)
            return  # it tells of all apps


def show_removed(preview: Preview, services: Services, journal: Journal) -> None:
    """Take back what stands of a preview that was torn down; harmless when repeated."""
    _let_go(partial(_retire, preview, services, journal), preview)
    _let_go(partial(_tell_removed, preview, services, journal), preview)
    if Surface.COMMENT in surfaces_of_preview(preview, services):
        _let_go(partial(_comment, preview, services, journal), preview)
    own = rendered.is_of_one_preview(services.showing.environment)
    if own and preview.line != PRODUCTION:
        _let_go(partial(_remove_environment, preview, services, journal), preview)


def _show_deployment(key: DeploymentId, services: Services, journal: Journal | None) -> None:
    for _ in range(MAX_WRITES):
        shown = _wanted(services.store.deployment(key), services)
        posting = services.postings.of(Surface.DEPLOYMENT, key)
        if shown is None or (posting is not None and posting.said == _said(shown)):
            return
        ref = None if posting is None else posting.ref
        written = _patiently(journal, partial(services.forge.show_deployment, shown, ref))
        if written is None:
            return
        services.postings.put(
            Posting(
                surface=Surface.DEPLOYMENT,
                subject=key,
                group=services.store.deployment(key).preview.id,
                ref=written,
                said=_said(shown),
            )
        )


def _retire(preview: Preview, services: Services, journal: Journal | None) -> None:
    """Say of each attempt that is shown as running or to come how it stands by now.

    GitHub does so by itself only for environments that stay.
    """
    for posting in services.postings.in_group(Surface.DEPLOYMENT, preview.id):
        if posting.said.split(" ", 1)[0] in _ACTIVE:
            _show_deployment(DeploymentId(posting.subject), services, journal)


def _remove_environment(preview: Preview, services: Services, journal: Journal) -> None:
    """Delete an environment that was this preview's alone, and what is filed under it.

    The newest go first, for they are what people see; what was deleted is forgotten at once.
    """
    name = rendered.environment_name(services.showing.environment, preview)
    while postings := services.postings.in_group(Surface.DEPLOYMENT, preview.id)[-REMOVED:]:
        refs = [posting.ref for posting in postings]
        remove = partial(services.forge.remove_environment, preview.repository, name, refs)
        patiently(journal, remove)
        for posting in postings:
            services.postings.forget(Surface.DEPLOYMENT, posting.subject)
        if len(postings) == REMOVED:
            journal.pause(BETWEEN_REMOVALS)


def _tell(key: DeploymentId, services: Services, journal: Journal | None) -> None:
    """Tell workflows what is news; the same is told once."""
    deployment = services.store.deployment(key)
    notice = notices.notice(
        deployment,
        serves=serves(deployment, services),
        page_url=services.page_url(key),
    )
    told = services.postings.of(Surface.DISPATCH, key)
    before = None if told is None else told.said
    if notice is None or before == notice.news:
        return
    if notice.news is News.REMOVED and before is None:
        return  # nobody heard that it was there
    _patiently(journal, partial(services.forge.tell, notice))
    services.postings.put(
        Posting(
            surface=Surface.DISPATCH,
            subject=key,
            group=deployment.preview.id,
            ref="",
            said=str(notice.news),
        )
    )


def _tell_removed(preview: Preview, services: Services, journal: Journal) -> None:
    """Tell that what was ready last is gone."""
    told = services.postings.in_group(Surface.DISPATCH, preview.id)
    ready = [posting.subject for posting in told if posting.said == News.READY]
    if ready:
        _tell(DeploymentId(ready[-1]), services, journal)


def _comment(preview: Preview, services: Services, journal: Journal | None) -> None:
    show_comments(preview.repository, preview.line, services, partial(_patiently, journal))


def _patiently(journal: Journal | None, do: Callable[[], Result]) -> Result:
    return do() if journal is None else patiently(journal, do)


def _wanted(deployment: Deployment, services: Services) -> ShownDeployment | None:
    return rendered.shown(
        deployment,
        serves=serves(deployment, services),
        environment=services.showing.environment,
        page_url=services.page_url(deployment.id),
    )


def _said(shown: ShownDeployment) -> str:
    return f"{shown.state} {shown.environment_url or '-'} {shown.description}"


def _let_go(do: Callable[[], None], preview: Preview) -> None:
    try:
        do()
    except ForgeError as error:
        log.warning("surface_not_written", preview=preview.id, problem=str(error))
