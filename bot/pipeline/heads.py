"""What a line points at now, asked where it lies."""

from bot.core.model.ids import CommitSha, Repository
from bot.core.model.lines import BranchLine, Line, ProductionLine, PullLine, ending_of
from bot.core.model.outcomes import Superseded, Withdrawn
from bot.ports.services import Services


def head_now(repository: Repository, line: Line, services: Services) -> CommitSha | None:
    """Return the line's newest commit; None when the branch is gone or the pull request closed.

    A pull request keeps its ref after it was closed, so the forge is asked and not git.

    Raises:
        SourceUnavailable: the repository could not be asked.
        ForgeUnavailable: the forge could not.

    """
    match line:
        case BranchLine(branch):
            return services.source.head(repository, branch)
        case PullLine(number):
            pull = services.forge.pull(repository, number)
            return pull.head if pull is not None and pull.is_open else None
        case ProductionLine():
            return services.source.head(repository, repository.default_branch)


def overtaken(line: Line, head: CommitSha | None) -> Superseded | Withdrawn:
    """Return the end of an attempt whose line points at `head` instead of its commit."""
    return Withdrawn(because=ending_of(line)) if head is None else Superseded(by=head)
