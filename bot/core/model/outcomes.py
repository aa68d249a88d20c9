"""How an attempt can end. A failed build is the product's daily bread, so these are values."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.model.ids import CommitSha
from bot.core.model.preview import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a build log."""

    level: str  # "info", "warning", "error", "debug"; foreign servers may say others
    message: str


class Severity(StrEnum):
    """How an annotation is shown; the forge's three words."""

    NOTICE = "notice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark at a place in the repository's files; lines and columns count from 1."""

    path: str
    line: int
    message: str
    severity: Severity = Severity.FAILURE
    column: int | None = None


# What the record of `Stage.BIND` says of a `Live` that is not `verified`.
NOT_VERIFIED = "not verified by header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The stable URL serves the commit, and so do those of the pull requests that show it."""

    url: str | None  # None when another preview owns the label
    deployment_url: str
    transfer: Transfer
    verified: bool  # the answer carried our revision; False where the target cannot say
    warnings: tuple[Annotation, ...] = ()
    pull_urls: tuple[str, ...] = ()  # of pull requests from the branch, oldest first
    reused: CommitSha | None = None  # the commit whose deployment this is; None: its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The commit is not live, and its author can read why."""

    title: str  # one line, shown beside the check
    explanation: str
    log: tuple[LogLine, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    transfer: Transfer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The commit is not deployed on purpose: a rule says so."""

    code: str  # a `Reason`
    because: str  # the rule and what it was applied to, in plain text
    open_question: bool = False  # it could not be decided, and the commit is not at fault
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """A newer commit took over."""

    by: CommitSha


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Nobody wants it any more: its branch is gone, say, or somebody cancelled it."""

    because: str  # a clause in plain text, "the branch is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The target did not finish in time."""

    waited_s: int
    log: tuple[LogLine, ...] = ()


Outcome = Live | Failed | Skipped | Superseded | Withdrawn | TimedOut
