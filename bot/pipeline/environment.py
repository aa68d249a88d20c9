"""What a deployment runs with besides its files, and what may therefore stand in no log."""

from collections.abc import Sequence

import structlog

from bot.core.decide.names import database_of
from bot.core.decide.variables import masked, variables_for, variables_version
from bot.core.model.briefs import Brief
from bot.core.model.environment import Environment, Variable
from bot.core.model.errors import ConfigurationProblem
from bot.core.model.lines import BranchLine, ProductionLine, PullLine
from bot.core.model.preview import Preview
from bot.ports.services import Services

log = structlog.get_logger()


def environment_of(preview: Preview, brief: Brief, services: Services) -> Environment:
    """Return what a deployment of `preview` gets; a stranger's code gets nothing.

    Raises:
        ConfigurationProblem: its variables cannot be opened.

    """
    database = None
    if brief.database:
        database = database_of(preview.slug, preview.repository, preview.line)
    return Environment(
        trust=preview.trust, variables=variables_of(preview, services), database=database
    )


def variables_of(preview: Preview, services: Services) -> tuple[Variable, ...]:
    """Return the variables of the next deployment of `preview`.

    Raises:
        ConfigurationProblem: they cannot be opened.

    """
    match preview.line:
        case BranchLine(branch):
            kept = services.variables.opened(preview.repository.id)
            return variables_for(kept, preview.app, branch)
        case ProductionLine():
            kept = services.variables.opened(preview.repository.id)
            return variables_for(kept, preview.app, None)
        case PullLine():
            return ()


def variables_version_of(preview: Preview, services: Services) -> str:
    """Return a text that is another one whenever `environment_of` gives other variables."""
    match preview.line:
        case BranchLine(branch):
            kept = services.variables.opened(preview.repository.id)
            return variables_version(kept, preview.app, branch)
        case ProductionLine():
            kept = services.variables.opened(preview.repository.id)
            return variables_version(kept, preview.app, None)
        case PullLine():
            return ""


def secrets_of(preview: Preview, services: Services) -> Sequence[str]:
    """Return what has to be taken out of texts about `preview`, the longest first.

    Variables that cannot be opened were given to nobody.
    """
    try:
        return masked(variables_of(preview, services))
    except ConfigurationProblem as error:
        log.warning("variables_not_opened", problem=str(error))
        return ()
