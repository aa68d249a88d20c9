"""What people ask of a preview, by a comment or by a button: the same value either way."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.model.ids import AppName


class Verb(StrEnum):
    """The word after `/preview`."""

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
    """One thing to do about the previews of a pull request or branch."""

    verb: Verb
    app: AppName | None = None  # None: all of them
    # APPROVE: the commit as it was typed. ROLLBACK: how many deployments back, or to which commit.
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Misunderstood:
    """A command that is none, with what was wrong and the likeliest meaning."""

    problem: str
    suggestion: str | None = None  # a whole command line
