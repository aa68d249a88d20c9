"""What happened, past tense. Parsed from deliveries at the border, free of any forge's JSON."""

from dataclasses import dataclass

from bot.core.model.ids import Branch, CommitSha, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPushed:
    """A branch came to point at `after`; `before` is None for a new branch."""

    repository: Repository
    branch: Branch
    before: CommitSha | None
    after: CommitSha
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchDeleted:
    """A branch is gone; `before` is what it pointed at."""

    repository: Repository
    branch: Branch
    before: CommitSha | None


Event = BranchPushed | BranchDeleted
