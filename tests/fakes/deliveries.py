"""A delivery as the inbox has it."""

from bot.core.model.events import BranchPushed
from bot.core.model.ids import (
    Branch,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    HookId,
    RepoName,
    Repository,
    RepositoryId,
)

PUSHED = BranchPushed(
    repository=Repository(
        id=RepositoryId(7), name=RepoName("octo/site"), default_branch=Branch("main")
    ),
    branch=Branch("main"),
    before=None,
    after=CommitSha("1" * 40),
)


def key(guid: str = "a", hook: str = "1") -> DeliveryKey:
    """Return the name of a delivery."""
    return DeliveryKey(hook=HookId(hook), guid=DeliveryGuid(guid))
