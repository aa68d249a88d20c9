"""Branches, pull requests, forks, approvals and commands, told in any order, late and again.

When everything has been told, what stands is what the forge says, whatever the way there was.
"""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model.checks import CheckStatus
from bot.core.model.environment import Environment, Trust
from bot.core.model.events import Event
from bot.core.model.ids import Branch, CommitSha, Login
from bot.core.model.pulls import Permission
from tests.pipeline.bot_in_memory import APP, FORK, REPOSITORY, BotInMemory

BRANCHES = ("main", "dev", "Dev")
MAX, EVE = Login("max"), Login("eve")


@dataclass
class Story:
    """What people do, and what was told of it so far."""

    bot: BotInMemory = field(default_factory=BotInMemory)
    untold: list[Event] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    approved: set[CommitSha] = field(default_factory=set)
    steps: int = 0

    def __post_init__(self) -> None:
        self.bot.forge.roles = {MAX: Permission.MAINTAIN, EVE: Permission.ADMIN}
        for branch in ("main", "dev"):
            self.do("push", branch)
        for what in ("open", "fork"):
            self.do(what, "dev")

    def do(self, what: str, branch: str) -> None:
        """Let somebody do something, if it can be done now."""
        self.steps += 1
        files = {**APP, "n": str(self.steps).encode()}
        bot, exists = self.bot, self.head(branch) is not None
        match what:
            case "push":
                self.untold.append(bot.push(branch, files))
            case "delete" if exists and branch != "main":
                self.untold.append(bot.delete_branch(branch))
            case "open" if exists and not self.has(branch, fork=False):
                self.untold.append(bot.open_pull(branch, number=self.steps))
            case "fork":
                self._fork(branch)
            case "close" | "reopen":
                self._turn(what)
            case "approve":
                self._approve(branch)
            case "redeploy" if bot.forge.pulls:
                number = list(bot.forge.pulls)[-1][1]
                self.untold.append(bot.comment(MAX, "/preview redeploy", number))
            case _:
                pass

    def head(self, branch: str) -> CommitSha | None:
        return self.bot.source.head(REPOSITORY, Branch(branch))

    def has(self, branch: str, *, fork: bool) -> bool:
        """Tell whether there is an open pull request of the branch."""
        home = FORK.id if fork else REPOSITORY.id
        return any(
            (pull.head_repository, pull.head_branch) == (home, branch) and pull.is_open
            for pull in self.bot.forge.pulls.values()
        )

    def _fork(self, branch: str) -> None:
        """Let a stranger push, and open a pull request the first time."""
        self.bot.push_to_fork(branch, {**APP, "n": f"fork {self.steps}".encode()})
        if not self.has(branch, fork=True):
            opened = self.bot.open_pull(branch, number=self.steps, author=EVE, fork=True)
            self.untold.append(opened)
            return
        for (_, number), pull in self.bot.forge.pulls.items():
            if (pull.head_repository, pull.head_branch) == (FORK.id, branch) and pull.is_open:
                self.untold.append(self.bot.synchronized(number))

    def _turn(self, what: str) -> None:
        pulls = [
            pull for pull in self.bot.forge.pulls.values() if pull.is_open == (what == "close")
        ]
        if not pulls:
            return
        number = pulls[-1].number
        turned = self.bot.close_pull(number) if what == "close" else self.bot.reopen_pull(number)
        self.untold.append(turned)

    def _approve(self, branch: str) -> None:
        """Let a maintainer approve a head, and its author try the same."""
        for pull in self.bot.forge.pulls.values():
            if (pull.head_repository, pull.head_branch) == (FORK.id, branch):
                self.approved.add(pull.head)
                for who in (EVE, MAX):
                    words = f"/preview approve {pull.head}"
                    self.untold.append(self.bot.comment(who, words, pull.number))

    def tell(self, place: int) -> None:
        event = self.untold.pop(place)
        self.told.append(event)
        self.bot.deliver(event)

    def settle(self) -> None:
        self.bot.decide_all()
        self.bot.deploy_all()


SOMETIMES: st.SearchStrategy[bool] = st.booleans()
WORDS = (
    *("push", "push", "delete", "open", "open", "fork", "close", "close", "reopen"),
    *("approve", "approve", "redeploy"),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_happens_in_whatever_order_the_forge_is_right_in_the_end(
    data: st.DataObject,
) -> None:
    story = Story()
    for _ in range(data.draw(st.integers(1, 20))):
        story.do(data.draw(st.sampled_from(WORDS)), data.draw(st.sampled_from(BRANCHES)))
        if data.draw(SOMETIMES) and story.untold:
            story.tell(data.draw(st.integers(0, len(story.untold) - 1)))
        if story.told and data.draw(st.integers(0, 4)) == 0:
            story.bot.deliver(data.draw(st.sampled_from(story.told)))  # under a new GUID
        if data.draw(SOMETIMES):
            story.bot.decide_all()
        if data.draw(SOMETIMES):
            story.bot.deploy_all()
    while story.untold:
        story.tell(data.draw(st.integers(0, len(story.untold) - 1)))
    story.settle()

    assert_settled(story)


def assert_settled(story: Story) -> None:
    bot = story.bot
    for branch in BRANCHES:
        told_of = any(getattr(event, "branch", None) == branch for event in story.told)
        if told_of or story.has(branch, fork=False):
            assert bot.served_at(branch) == story.head(branch), branch
    for (_, number), pull in bot.forge.pulls.items():
        served = bot.served_for(number)
        if not pull.is_open:
            assert served is None
        elif pull.head_repository == REPOSITORY.id:
            assert served == story.head(pull.head_branch)
        else:
            assert served is None or served in story.approved
    for made in bot.target.made:
        if made.order.pull is not None:
            assert made.order.environment == Environment(trust=Trust.STRANGER)
    assert all(attempt.is_over or attempt.state == "waiting" for attempt in bot.deployments())
    assert {check.status for check in bot.forge.latest().values()} <= {CheckStatus.COMPLETED}
