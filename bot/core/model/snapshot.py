"""Every fact that a decision may read, gathered before it is made."""

from dataclasses import dataclass

from bot.core.model.ids import AppName, CommitSha
from bot.core.model.preview import Deployment
from bot.core.model.pulls import PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """What stands for one app of the repository on the event's line."""

    app: AppName
    newest: Deployment | None  # the newest attempt, whatever its state


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The world as intake found it."""

    # What the event's branch or pull request points at, asked just now; None: it is gone.
    head_now: CommitSha | None
    planned: bool  # this very delivery has planned an attempt before (it is being repeated)
    apps: tuple[AppFacts, ...]
    pull: PullRequest | None = None  # the event's, as the forge has it now
    approved: bool = False  # somebody has approved the pull request's head
