from dataclasses import replace

import pytest

from bot.core.decide.drift import Followed, Missed, Standing, missed_events
from bot.core.model.events import (
    BranchDeleted,
    BranchPushed,
    PullRequestClosed,
    PullRequestOpened,
    PullRequestSynchronized,
)
from bot.core.model.ids import Branch, CommitSha, Login, PullNumber, RepositoryId
from bot.core.model.lines import BranchLine, Line, PullLine
from bot.core.model.pulls import PullRequest, PullState
from tests.unit.render.test_checks import HEAD, deployment

REPOSITORY = deployment().preview.repository
NEWER = CommitSha("b" * 40)
MAIN = BranchLine(Branch("main"))
FORKED = PullLine(PullNumber(7))


def following(line: Line) -> Followed:
    newest = deployment()
    newest = replace(newest, preview=replace(newest.preview, line=line))
    return Followed(line=line, newest=newest)


def pull(
    *, state: PullState = PullState.OPEN, head: CommitSha = HEAD, forked: bool = True
) -> PullRequest:
    return PullRequest(
        number=PullNumber(7),
        state=state,
        author=Login("ada"),
        author_is_bot=False,
        head=head,
        head_branch=Branch("feature"),
        head_repository=RepositoryId(99) if forked else REPOSITORY.id,
        base_branch=Branch("main"),
    )


def missed(
    *followed: Followed,
    heads: dict[str, CommitSha] | None = None,
    pulls: list[PullRequest] | None = None,
    recorded: PullRequest | None = None,
) -> list[Missed]:
    known = {} if recorded is None else {recorded.number: recorded}
    standing = Standing(heads=heads or {}, pulls=pulls, recorded=known)
    return list(missed_events(REPOSITORY, followed, standing))


def test_nothing_was_missed_where_everything_stands_as_recorded() -> None:
    assert missed(following(MAIN), heads={"refs/heads/main": HEAD}, pulls=[]) == []
    assert missed(following(FORKED), pulls=[pull()]) == []


def test_a_branch_that_moved_on_was_pushed() -> None:
    [found] = missed(following(MAIN), heads={"refs/heads/main": NEWER})

    assert found.event == BranchPushed(
        repository=REPOSITORY, branch=Branch("main"), before=HEAD, after=NEWER
    )


def test_a_branch_that_is_gone_was_deleted() -> None:
    [found] = missed(following(MAIN), heads={"refs/heads/other": HEAD})

    assert found.event == BranchDeleted(repository=REPOSITORY, branch=Branch("main"), before=HEAD)


def test_a_branch_without_a_preview_is_left_alone() -> None:
    assert missed(heads={"refs/heads/new": NEWER}, pulls=[]) == []


def test_a_closed_pull_request_whose_preview_stands_was_closed() -> None:
    merged = pull(state=PullState.MERGED)

    [found] = missed(following(FORKED), pulls=[merged])

    assert found.event == PullRequestClosed(repository=REPOSITORY, pull=merged)


def test_a_pull_request_with_another_head_was_pushed_to() -> None:
    moved = pull(head=NEWER)

    [found] = missed(following(FORKED), pulls=[moved])

    assert found.event == PullRequestSynchronized(repository=REPOSITORY, pull=moved)


def test_an_open_pull_request_without_a_preview_was_opened() -> None:
    [found] = missed(pulls=[pull()])

    assert found.event == PullRequestOpened(repository=REPOSITORY, pull=pull())


def test_one_from_a_branch_without_a_preview_was_pushed_too() -> None:
    kinds = [type(found.event) for found in missed(pulls=[pull(forked=False)])]

    assert kinds == [PullRequestOpened, BranchPushed]


def test_a_closed_pull_request_without_a_preview_is_past() -> None:
    assert missed(pulls=[pull(state=PullState.CLOSED)]) == []


FEATURE, AT_HEAD = BranchLine(Branch("feature")), {"refs/heads/feature": HEAD}


@pytest.mark.parametrize("recorded", [None, PullState.CLOSED, PullState.MERGED])
def test_one_from_a_branch_with_a_preview_was_opened_if_we_do_not_know_it(
    recorded: PullState | None,
) -> None:
    opened = pull(forked=False)
    known = None if recorded is None else replace(opened, state=recorded)

    [found] = missed(following(FEATURE), heads=AT_HEAD, pulls=[opened], recorded=known)

    assert found.event == PullRequestOpened(repository=REPOSITORY, pull=opened)


@pytest.mark.parametrize("followed", [(), (following(FEATURE),)], ids=["without", "with"])
def test_one_that_we_take_for_open_was_closed(followed: tuple[Followed, ...]) -> None:
    merged = pull(forked=False, state=PullState.MERGED)

    [found] = missed(
        *followed, heads=AT_HEAD, pulls=[merged], recorded=replace(merged, state=PullState.OPEN)
    )

    assert found.event == PullRequestClosed(repository=REPOSITORY, pull=merged)


def test_one_that_is_as_we_know_it_tells_nothing() -> None:
    for state in PullState:
        known = pull(forked=False, state=state)
        assert missed(following(FEATURE), heads=AT_HEAD, pulls=[known], recorded=known) == []


def test_nothing_is_concluded_about_pull_requests_that_may_not_be_read() -> None:
    assert missed(following(FORKED), pulls=None) == []
    assert missed(following(FORKED), pulls=[]) == []


def test_the_same_facts_are_the_same_event_and_others_another() -> None:
    first = missed(following(MAIN), heads={"refs/heads/main": NEWER})
    again = missed(following(MAIN), heads={"refs/heads/main": NEWER})
    later = missed(following(MAIN), heads={"refs/heads/main": CommitSha("c" * 40)})

    assert first[0].facts == again[0].facts != later[0].facts
