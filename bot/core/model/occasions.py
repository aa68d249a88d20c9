"""What led to the question whether to deploy a commit."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.model.ids import Branch


class Trigger(StrEnum):
    """Who wants it."""

    PUSH = "push"  # a branch came to point at the commit
    PULL = "pull"  # a pull request has the commit, or has changed
    PERSON = "person"  # by a command or a button, with the right to


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFacts:
    """What rules read of a pull request."""

    labels: tuple[str, ...] = ()
    draft: bool = False
    by_bot: bool = False  # its author is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One commit, and the circumstances under which it is to be deployed or not."""

    trigger: Trigger
    branch: Branch  # where the commit lies; of a fork's, its name there
    message: str = ""  # the commit's
    pull: PullFacts | None = None  # the open pull request that it belongs to, if any
    is_default_branch: bool = False
    from_fork: bool = False
