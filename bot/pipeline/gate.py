"""The last look before a stranger's commit, or somebody's wish, is handed to the platform."""

from bot.core.decide.approvals import objection
from bot.core.model.commands import Authority
from bot.core.model.environment import Trust
from bot.core.model.errors import ForgeRefused
from bot.core.model.lines import PullLine
from bot.core.model.outcomes import Superseded, Withdrawn
from bot.core.model.preview import Deployment
from bot.core.model.pulls import Asker
from bot.pipeline.attempt import Attempt
from bot.pipeline.heads import overtaken
from bot.pipeline.patience import patiently
from bot.ports.services import Services


def stopped(attempt: Attempt) -> Superseded | Withdrawn | None:
    """Return why the attempt must not go on, None if it may.

    A wish is as good as its author's right, a stranger's commit as its approval.

    Everything is asked anew: the head, which may have moved a moment ago, and what the approver
    may do, which may have been taken away.

    Raises:
        ForgeUnavailable: the forge could not be asked; then nothing may run.

    """
    deployment = attempt.now()
    line = deployment.preview.line
    authority = attempt.brief.authority
    if authority is not None:
        lost = patiently(attempt.journal, lambda: lost_right(authority, attempt.services))
        if lost is not None:
            return Withdrawn(because=lost)
    if deployment.preview.trust is Trust.OWN or not isinstance(line, PullLine):
        return None
    return patiently(attempt.journal, lambda: _stopped(deployment, line, attempt.services))


def lost_right(authority: Authority, services: Services) -> str | None:
    """Return why a wish does not count any more, as a clause in plain text, or None.

    Raises:
        ForgeUnavailable: the forge could not be asked.

    """
    try:
        has = services.forge.permission(authority.repository, authority.login)
    except ForgeRefused as refusal:
        return f"nobody tells any more what {authority.login} may do: {refusal}"
    if has >= authority.needs:
        return None
    return f"it needs the {authority.needs.name.lower()} role, which {authority.login} has lost"


def _stopped(
    deployment: Deployment, line: PullLine, services: Services
) -> Superseded | Withdrawn | None:
    repository = deployment.preview.repository
    pull = services.forge.pull(repository, line.pull)
    if pull is None or not pull.is_open:
        return overtaken(line, None)
    if pull.head != deployment.head:
        return overtaken(line, pull.head)
    approval = services.pulls.approval(repository.id, line.pull, deployment.head)
    if approval is None:
        return Withdrawn(because="nobody has approved this commit")
    permission = services.forge.permission(repository, approval.by)
    approver = Asker(login=approval.by, permission=permission)
    found = objection(deployment.head, pull, repository, approver)
    return None if found is None else Withdrawn(because=f"its approval is void: {found.because}")
