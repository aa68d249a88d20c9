"""Let production answer on a host of its owner's."""

from collections.abc import Sequence

from bot.core.decide.names import line_app
from bot.core.model.config import CONFIG_PATHS
from bot.core.model.errors import TargetError
from bot.core.model.lines import PRODUCTION
from bot.core.model.outcomes import Annotation, Severity
from bot.pipeline.attempt import Attempt
from bot.pipeline.patience import patiently
from bot.pipeline.steps.upload import Uploaded
from bot.ports.target import Attached, DnsRecord, Unproven


def attach_domain(attempt: Attempt, uploaded: Uploaded) -> tuple[Annotation, ...]:
    """Let production's own domain serve the deployment; return what keeps it from that."""
    production = attempt.brief.production
    if production is None or production.domain is None:
        return ()
    deployment, host, target = attempt.now(), production.domain, attempt.target
    app = line_app(deployment.preview.slug, deployment.preview.repository, PRODUCTION)
    try:
        seen = patiently(
            attempt.journal,
            lambda: target.attach(app, uploaded.id, host, deployment.head),
        )
    except TargetError as error:
        return (_remark(f"{host} does not lead here: {error}"),)
    match seen:
        case Attached(problem=None):
            return ()
        case Attached(problem=problem):
            return (_remark(f"{host} leads here, but has no certificate yet: {problem}"),)
        case Unproven(records=records):
            return (_remark(f"{host} does not lead here until {_until(records)}"),)


def _until(records: Sequence[Sequence[DnsRecord]]) -> str:
    """Return what the domain's owner has to do: one of the ways, all of whose records it takes."""
    if not any(records):
        return "the platform has proof of who owns it"
    way = next(filter(None, records))
    return "its DNS has: " + "; ".join(f"{each.kind} {each.name} {each.content}" for each in way)


def _remark(message: str) -> Annotation:
    return Annotation(path=CONFIG_PATHS[0], line=1, message=message, severity=Severity.WARNING)
