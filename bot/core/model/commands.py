"""What people ask of a preview, by a comment or by a button: the same value either way."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.model.ids import AppName, CommentId, Login, PullNumber, Repository
from bot.core.model.pulls import Permission


class Verb(StrEnum):
    """The word after `/preview`, and what it takes to say it."""

    HELP = "help"
    STATUS = "status"
    DEPLOY = "deploy"
    REDEPLOY = "redeploy"
    CANCEL = "cancel"
    DESTROY = "destroy"
    APPROVE = "approve"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to do about the previews of a pull request or branch, or about production."""

    verb: Verb
    app: AppName | None = None  # None: all of them
    production: bool = False  # what the app's own name serves, wherever the comment stands
    # APPROVE: the commit as it was typed. ROLLBACK: how many deployments back, or to which commit.
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Misunderstood:
    """A command that is none, with what was wrong and the likeliest meaning."""

    problem: str
    suggestion: str | None = None  # a whole command line


NEEDED = {
    Verb.HELP: Permission.READ,
    Verb.STATUS: Permission.READ,
    Verb.DEPLOY: Permission.WRITE,
    Verb.REDEPLOY: Permission.WRITE,
    Verb.CANCEL: Permission.WRITE,
    Verb.DESTROY: Permission.WRITE,
    Verb.APPROVE: Permission.MAINTAIN,
    Verb.ROLLBACK: Permission.MAINTAIN,
    Verb.PROMOTE: Permission.MAINTAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command as somebody gave it."""

    repository: Repository
    command: Command
    by: Login
    comment: CommentId | None = None  # None: by a button
    pull: PullNumber | None = None  # where the comment stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Whose wish a decision follows, and what they must be allowed for it, then and later."""

    repository: Repository
    login: Login
    needs: Permission


class Reaction(StrEnum):
    """What stands under a comment that we have read; GitHub's words.

    https://docs.github.com/en/rest/reactions/reactions
    """

    SEEN = "eyes"
    BEGUN = "rocket"
    DONE = "+1"
    REFUSED = "-1"
    CONFUSED = "confused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer in plain text, and a comment that may be copied, if there is one to suggest."""

    text: str
    copy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Every command with what it does and takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the previews of the pull request stand at that moment."""


Reply = Said | Help | Status
