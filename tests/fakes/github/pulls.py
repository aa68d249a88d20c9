"""Pull requests of the fake: from a branch or a fork, with the ref that GitHub keeps for each."""

from dataclasses import dataclass, field

from tests.fakes.github.repository import FakeRepository


@dataclass(slots=True, kw_only=True)
class FakePull:
    """A pull request; while it is open its head is what the branch points at."""

    number: int
    base: FakeRepository
    head_repository: FakeRepository | None  # None: the fork was deleted
    head_branch: str
    author: str
    base_branch: str
    title: str = "Change some files"
    draft: bool = False
    state: str = "open"
    merged: bool = False
    labels: list[str] = field(default_factory=list)
    head: str = ""  # the newest that was seen; what stays when it is closed

    def refresh(self) -> str:
        """Take over what the branch points at now, under refs/pull too; return the head."""
        source = self.head_repository
        if self.state == "open" and source is not None and source.head(self.head_branch):
            ref = f"refs/pull/{self.number}/head"
            refspec = f"+refs/heads/{self.head_branch}:{ref}"
            self.base.git("fetch", "--quiet", str(source.path), refspec)
            self.head = self.base.resolve(ref) or self.head
        return self.head
