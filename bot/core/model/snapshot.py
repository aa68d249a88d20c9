"""Every fact that a decision may read, gathered before it is made."""

from dataclasses import dataclass

from bot.core.model.ids import AppName, CommitSha
from bot.core.model.preview import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """What stands for one app of the repository on the event's branch."""

    app: AppName
    newest: Deployment | None  # the newest attempt, whatever its state


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The world as intake found it."""

    head_now: CommitSha | None  # what the branch points at, asked just now; None: no such branch
    planned: bool  # this very delivery has planned an attempt before (it is being repeated)
    apps: tuple[AppFacts, ...]
