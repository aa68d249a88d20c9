"""What to do about an event that nobody could decide about, however often it was tried.

Nothing may be asked here: that there was no answer is the very reason. So it reads what the bot
remembers by itself, and an attempt that fails at once tells whoever waits for its commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from bot.core.decide.answering import declined
from bot.core.model.commands import Said
from bot.core.model.decisions import Answer, Decision, Reason, SkipDeployment
from bot.core.model.events import (
    BranchPushed,
    CommentWritten,
    Event,
    PullRequestChanged,
    PullRequestClosed,
)
from bot.core.model.ids import CommitSha, Repository
from bot.core.model.lines import BranchLine, Line
from bot.core.model.outcomes import Failed
from bot.core.model.preview import Deployment
from bot.core.model.snapshot import AppFacts

TITLE = "Could not find out what to deploy"

_WHAT_NOW = "Nothing was deployed or moved. Press Retry, or push a commit, to try it once more."

_PULL_REQUEST_CHANGED = get_args(PullRequestChanged)


def commit_in(event: Event) -> tuple[Repository, Line, CommitSha] | None:
    """Return the commit that waits for an answer to the event, and where; None if none does."""
    match event:
        case BranchPushed():
            return event.repository, BranchLine(event.branch), event.after
        case _ if isinstance(event, _PULL_REQUEST_CHANGED) and not isinstance(
            event, PullRequestClosed
        ):
            return event.repository, event.pull.line(event.repository), event.pull.head
        case _:
            return None


def give_up(
    event: Event, apps: Sequence[AppFacts], received_at: datetime, *, problem: str, told: str
) -> Decision:
    """Return the last word on an event: its commit fails, or whoever commanded is told.

    `apps` are those that are known on the commit's line. `problem` is for the operator, `told`
    for everybody.
    """
    waiting = commit_in(event)
    if waiting is not None:
        repository, line, head = waiting
        outcome = Failed(title=TITLE, explanation=f"{told}\n{_WHAT_NOW}")
        failing = tuple(
            SkipDeployment(
                repository=repository,
                line=line,
                app=each.app,
                head=head,
                reason=Reason.INTAKE_FAILED,
                outcome=outcome,
            )
            for each in apps
            if _waits(each.newest, head, received_at)
        )
        return Decision(reason=Reason.INTAKE_FAILED, detail=problem, intents=failing)
    commanded = (_sorry(event, told),) if isinstance(event, CommentWritten) else ()
    return Decision(reason=Reason.INTAKE_FAILED, detail=problem, intents=commanded)


def _waits(newest: Deployment | None, head: CommitSha, received_at: datetime) -> bool:
    """Tell whether nobody has dealt with `head`, or with a later one, in the meantime.

    What else was given up since then says nothing of how things stand.
    """
    if newest is None:
        return True
    return newest.head != head and (newest.created_at < received_at or newest.title == TITLE)


def _sorry(event: CommentWritten, told: str) -> Answer:
    return declined(
        event, Said(text=f"nothing was done, as {told}; say it once more", copy=event.text)
    )
