"""The table of docs/events.md: what the bot does about each example delivery.

Nothing of it is written by hand: each example goes through parser and intake, in a world that
stands as the delivery tells, and in one that knows nothing of what it is about.
"""

import re
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import get_args

from bot.core.model.checks import Button
from bot.core.model.decisions import Ignored
from bot.core.model.events import (
    AppUninstalled,
    BranchDeleted,
    BranchPushed,
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    CommentWritten,
    Event,
    PullRequestChanged,
    PullRequestClosed,
    PullRequestOpened,
    PullRequestReopened,
    PullRequestSynchronized,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
    RepositoryTransferred,
)
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.preview import Deployment
from bot.core.model.pulls import Permission, PullRequest, PullState
from bot.webhooks.parse import parse
from tests.fakes.github import further_examples as made
from tests.fakes.github.further_examples import Example, all_examples
from tests.pipeline.bot_in_memory import APP, BotInMemory

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"

BEGIN = "<!-- table of events: made by `make events-table` -->"
END = "<!-- end of the table of events -->"

Checked = CheckRerequested | CheckActionRequested | CheckSuiteRerequested
TakenAway = RepositoryDeleted | RepositoriesRemoved | AppUninstalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a delivery leads to."""

    reason: str
    detail: str = ""
    does: str = ""  # the intents in words; "" for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An example, and what becomes of it."""

    example: Example
    now: Outcome  # everything is as the delivery tells
    late: Outcome  # nothing of that is there any more


def rows() -> list[Row]:
    """Return all examples with their outcomes."""
    return [
        Row(example=each, now=outcome(each), late=outcome(each, late=True))
        for each in all_examples()
    ]


def outcome(example: Example, *, late: bool = False) -> Outcome:
    """Return what a delivery leads to; when it comes `late`, nobody knows what it is about."""
    event = parse(example.event, example.payload)
    if isinstance(event, Ignored):
        return Outcome(reason=str(event.reason), detail=event.detail)
    bot = BotInMemory()
    key = bot.deliver(event if late else _as_told(bot, event))
    bot.decide_all()
    decision = bot.inbox.decisions[key]
    does = dict.fromkeys(_in_words(type(intent).__name__) for intent in decision.intents)
    return Outcome(reason=str(decision.reason), detail=decision.detail, does=", ".join(does))


def table(all_rows: list[Row]) -> str:
    """Return the table; examples of which all is alike share a line."""
    found = sorted(all_rows, key=lambda row: (row.example.event, not _is_githubs(row), _line(row)))
    lines = [
        "| event | action | reason | because | what the bot does | late | examples |",
        "|---|---|---|---|---|---|---|",
    ]
    for line, alike in groupby(found, _line):
        names = ", ".join(row.example.name for row in alike)
        lines.append(f"{line} {names} |")
    return "\n".join(lines)


def written(document: str) -> str:
    """Return the document with the table in its place."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(rows())}\n\n{END}{after}"


def main() -> None:
    """Write the table into the document."""
    DOCUMENT.write_text(written(DOCUMENT.read_text()))


def _is_githubs(row: Row) -> bool:
    return row.example.name.isdecimal()


def _line(row: Row) -> str:
    """Return the row without its last cell."""
    late = "" if row.late.reason == row.now.reason else f"`{row.late.reason}`"
    cells = [
        row.example.event,
        row.example.payload.get("action", ""),
        f"`{row.now.reason}`",
        row.now.detail.replace("|", "\\|"),
        row.now.does,
        late,
    ]
    return f"| {' | '.join(cells)} |"


def _in_words(name: str) -> str:
    """Return "start deployment" for StartDeployment."""
    return re.sub(r"\B(?=[A-Z])", " ", name).lower()


# --- a world that stands as an event tells -----------------------------------------------------


def _as_told(bot: BotInMemory, event: Event) -> Event:
    """Let forge and git stand as `event` tells, let the bot have seen what came before it.

    Return the event, with an attempt of this world where it names one.
    """
    match event:
        case BranchPushed():
            _commit(bot, event.repository, event.branch, event.after)
        case BranchDeleted():
            _live(bot, event.repository, event.branch)
            bot.source.delete(event.repository, event.branch)
        case CommentWritten():
            bot.forge.roles[event.author] = Permission.ADMIN
            opened = parse("pull_request", made.pull_request())
            assert isinstance(opened, PullRequestOpened)
            _seen(bot, event.repository, replace(opened.pull, number=event.pull))
        case CheckRerequested() | CheckActionRequested() | CheckSuiteRerequested():
            return _on_a_check(bot, event)
        case RepositoryRenamed() | RepositoryTransferred() | RepositoryPrivatized():
            _live(bot, replace(event.repository, name=RepoName("octo/before")))
        case RepositoryDeleted() | RepositoriesRemoved() | AppUninstalled():
            _taken_away(bot, event)
        case _:
            assert isinstance(event, get_args(PullRequestChanged))
            _of_pull(bot, event)
    return event


def _commit(bot: BotInMemory, repository: Repository, branch: str, head: str) -> BranchPushed:
    commit = bot.source.commit(repository, branch, APP, named=CommitSha(head))
    return BranchPushed(repository=repository, branch=Branch(branch), before=None, after=commit)


def _live(
    bot: BotInMemory, repository: Repository, branch: str = "main", head: str = made.OLD
) -> Deployment:
    bot.react_to(_commit(bot, repository, branch, head))
    return bot.deployments()[-1]


def _of_pull(bot: BotInMemory, event: PullRequestChanged) -> None:
    """Let a pull request be as an event tells, and the bot have seen it before."""
    repository, pull = event.repository, event.pull
    match event:
        case PullRequestOpened():
            pass
        case PullRequestSynchronized():
            _seen(bot, repository, replace(pull, head=CommitSha(made.OLD)))
        case PullRequestReopened():
            _seen(bot, repository, pull)
            closed = replace(pull, state=PullState.CLOSED)
            bot.forge.pulls[repository.id, pull.number] = closed
            bot.react_to(PullRequestClosed(repository=repository, pull=closed))
        case _:
            _seen(bot, repository, replace(pull, state=PullState.OPEN))
    _stands(bot, repository, pull)


def _seen(bot: BotInMemory, repository: Repository, pull: PullRequest) -> Deployment:
    _stands(bot, repository, pull)
    bot.react_to(PullRequestOpened(repository=repository, pull=pull))
    return bot.deployments()[-1]


def _stands(bot: BotInMemory, repository: Repository, pull: PullRequest) -> None:
    home = replace(repository, id=pull.head_repository or RepositoryId(made.FORK_ID))
    _commit(bot, home, pull.head_branch, pull.head)
    bot.forge.pulls[repository.id, pull.number] = pull


def _on_a_check(bot: BotInMemory, event: Checked) -> Checked:
    """Return the event as one about a check of ours: nobody else's are told to us."""
    bot.forge.roles[event.sender] = Permission.ADMIN
    if isinstance(event, CheckActionRequested) and event.action == Button.APPROVE:
        opened = parse("pull_request", made.fork_pull_request())
        assert isinstance(opened, PullRequestOpened)
        attempt = _seen(bot, event.repository, replace(opened.pull, head=event.head))
    else:
        attempt = _live(bot, event.repository, head=event.head)
    if isinstance(event, CheckSuiteRerequested):
        return event
    return replace(event, external_id=attempt.id)


def _taken_away(bot: BotInMemory, event: TakenAway) -> None:
    for repository in _lost_by(event):
        _live(bot, repository)
        bot.forge.taken_away.add(repository.id)


def _lost_by(event: TakenAway) -> list[Repository]:
    match event:
        case RepositoryDeleted():
            return [event.repository]
        case RepositoriesRemoved():
            return [_lost(key, event.installation) for key in event.repositories]
        case AppUninstalled():
            return [_lost(RepositoryId(1), event.installation)]


def _lost(key: RepositoryId, installation: int) -> Repository:
    return Repository(
        id=key,
        name=RepoName(f"octo/lost-{key}"),
        default_branch=Branch("main"),
        installation=installation,
    )
