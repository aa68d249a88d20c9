"""Every fact that a decision may read, gathered before it is made."""

from dataclasses import dataclass, field

from bot.core.model.config import NOTHING_SAID, AppConfig, Counting, DenoFile, Mistaken
from bot.core.model.ids import AppName, CommitSha
from bot.core.model.lines import Line
from bot.core.model.preview import Deployment
from bot.core.model.pulls import Asker, PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """What stands for one app of the repository on the event's line."""

    app: AppName
    newest: Deployment | None  # the newest attempt, whatever its state
    config: AppConfig = field(default_factory=AppConfig)  # what counts for the head
    deno: DenoFile | None = None  # the deno.json at the app's root, in the head
    # The paths that differ from what is live, or from where the branch began; None: not compared.
    changed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The world as intake found it."""

    # What the event's branch or pull request points at, asked just now; None: it is gone.
    head_now: CommitSha | None
    planned: bool  # this very delivery has planned an attempt before (it is being repeated)
    apps: tuple[AppFacts, ...]
    setup: Counting | Mistaken = NOTHING_SAID  # of the head
    message: str = ""  # of the head
    pull: PullRequest | None = None  # the event's, as the forge has it now
    # The open pull requests that have the head, by what was last recorded of them.
    pulls: tuple[PullRequest, ...] = ()
    # How the apps that have a production stand there; on behalf of the default branch alone.
    production: tuple[AppFacts, ...] = ()
    # Where a command was given: what it is about, by whom, and what was tried there so far, oldest
    # first; of a button also the attempt on whose check it stood.
    line: Line | None = None
    asker: Asker | None = None
    history: tuple[Deployment, ...] = ()
    attempt: Deployment | None = None
    # Of all checks of a commit: how the other lines stand that have it for their newest attempt.
    others: tuple["Snapshot", ...] = ()
    trunk: CommitSha | None = None  # the default branch's head
    approved: bool = False  # somebody has approved the pull request's head
    # The newest attempt of each preview that the event is about; where one is to be begun, of
    # those of the repository that have something on the platform.
    standing: tuple[Deployment, ...] = ()
    most: int | None = None  # previews that the repository may have at a time; None: any number
    # Whether the repository, or the installation, is still ours to read.
    reachable: bool = True
