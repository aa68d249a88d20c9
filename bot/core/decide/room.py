"""Make room for a new preview where a repository has as many as it may: the oldest goes."""

from dataclasses import replace

from bot.core.model.config import Counting
from bot.core.model.decisions import BuryPreviews, Decision, StartDeployment
from bot.core.model.lines import PRODUCTION, BranchLine, Line, name_of
from bot.core.model.preview import Deployment
from bot.core.model.snapshot import Snapshot
from bot.kernel.counting import counted


def with_room(decision: Decision, snapshot: Snapshot) -> Decision:
    """Return `decision` with what has to go for it first, and that said in its detail.

    The oldest is the one whose newest deployment is the oldest. The default branch's stays, and so
    does what the decision itself is about.
    """
    starts = [intent for intent in decision.intents if isinstance(intent, StartDeployment)]
    most = _most(snapshot)
    if most is None or not starts:
        return decision
    wanted = {start.line for start in starts} - {PRODUCTION}
    others = _ages(snapshot, wanted)
    surplus = len(others) + len(wanted) - most
    spared = BranchLine(starts[0].repository.default_branch)
    evicted = [line for line in others if line != spared][: max(surplus, 0)]
    if not evicted:
        return decision
    because = f"the repository may have {counted(most, 'preview')}, and this was the oldest"
    burials = tuple(
        BuryPreviews(
            repository=starts[0].repository, line=line, because=because, line_goes_on=True
        )
        for line in evicted
    )
    gone = ", ".join(name_of(line) for line in evicted)
    return replace(
        decision,
        detail=f"{decision.detail}; {gone} had to go for it, as {because}",
        intents=(*burials, *decision.intents),
    )


def _most(snapshot: Snapshot) -> int | None:
    """Return what the repository says of itself, else the operator."""
    match snapshot.setup:
        case Counting(config=config) if config.lifetimes.most is not None:
            return config.lifetimes.most
        case _:
            return snapshot.most


def _ages(snapshot: Snapshot, wanted: set[Line]) -> list[Line]:
    """Return the other lines that have something on the platform, oldest first."""
    newest: dict[Line, Deployment] = {}
    for attempt in snapshot.standing:
        line = attempt.preview.line
        if line in wanted or line == PRODUCTION:
            continue
        if line not in newest or attempt.created_at > newest[line].created_at:
            newest[line] = attempt
    return sorted(newest, key=lambda line: newest[line].created_at)
