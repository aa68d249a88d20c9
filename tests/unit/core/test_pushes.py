from dataclasses import replace
from datetime import UTC, datetime

from bot.core.decide.decision import decide
from bot.core.model.decisions import BuryPreviews, Reason, StartDeployment
from bot.core.model.events import BranchDeleted, BranchPushed
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeploymentId,
    Generation,
    HostLabel,
    PreviewId,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment, DeploymentState, Preview
from bot.core.model.snapshot import AppFacts, Snapshot

OLD, NEW = CommitSha("1" * 40), CommitSha("2" * 40)
REPOSITORY = Repository(
    id=RepositoryId(1), name=RepoName("octo/hello"), default_branch=Branch("main")
)
BRANCH = Branch("main")
LINE = BranchLine(BRANCH)
PUSHED = BranchPushed(repository=REPOSITORY, branch=BRANCH, before=OLD, after=NEW)
START = StartDeployment(repository=REPOSITORY, line=LINE, app=AppName(""), head=NEW)


def attempt(head: CommitSha, state: DeploymentState) -> Deployment:
    preview = Preview(
        id=PreviewId("p"),
        repository=REPOSITORY,
        line=LINE,
        app=AppName(""),
        slug=AppSlug("hello"),
        label=HostLabel("hello--main"),
        generation=Generation(1),
    )
    return Deployment(
        id=DeploymentId("d"),
        preview=preview,
        generation=Generation(1),
        head=head,
        state=state,
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


def found(
    head_now: CommitSha | None, newest: Deployment | None = None, *, planned: bool = False
) -> Snapshot:
    return Snapshot(
        head_now=head_now, planned=planned, apps=(AppFacts(app=AppName(""), newest=newest),)
    )


def test_a_push_of_the_head_is_deployed() -> None:
    decision = decide(PUSHED, found(NEW))

    assert decision.reason is Reason.DEPLOY
    assert decision.intents == (START,)


def test_a_push_that_is_no_longer_the_head_starts_nothing_and_says_why() -> None:
    decision = decide(PUSHED, found(OLD))

    assert decision.reason is Reason.STALE_PUSH
    assert decision.intents == ()
    assert "points at 1111111" in decision.detail


def test_a_push_to_a_branch_that_is_gone_starts_nothing() -> None:
    assert decide(PUSHED, found(None)).reason is Reason.STALE_PUSH


def test_a_redelivered_push_does_nothing() -> None:
    decision = decide(PUSHED, found(NEW, attempt(NEW, DeploymentState.DEPLOYING)))

    assert decision.reason is Reason.ALREADY_HANDLED
    assert decision.intents == ()


def test_a_failed_commit_is_not_tried_again_by_a_replay() -> None:
    failed = attempt(NEW, DeploymentState.FAILED)

    assert decide(PUSHED, found(NEW, failed)).reason is Reason.ALREADY_HANDLED


def test_a_force_push_back_to_an_older_commit_deploys_it_again() -> None:
    live = attempt(OLD, DeploymentState.LIVE)

    assert decide(PUSHED, found(NEW, live)).intents == (START,)


def test_a_commit_that_was_given_up_and_is_the_head_again_is_deployed() -> None:
    given_up = attempt(NEW, DeploymentState.SUPERSEDED)

    assert decide(PUSHED, found(NEW, given_up)).intents == (START,)


def test_a_branch_that_came_back_is_deployed_though_its_commit_was_live() -> None:
    live = attempt(NEW, DeploymentState.LIVE)
    buried = replace(live, preview=replace(live.preview, buried=True))

    assert decide(PUSHED, found(NEW, buried)).intents == (START,)


def test_an_intake_that_is_repeated_after_a_crash_decides_as_it_did() -> None:
    own = attempt(NEW, DeploymentState.QUEUED)

    assert decide(PUSHED, found(NEW, own, planned=True)).intents == (START,)
    assert decide(PUSHED, found(OLD, own, planned=True)).intents == (START,)


def test_a_deleted_branch_buries_its_previews() -> None:
    event = BranchDeleted(repository=REPOSITORY, branch=BRANCH, before=OLD)

    decision = decide(event, found(None))

    assert decision.reason is Reason.BRANCH_DELETED
    assert decision.intents == (
        BuryPreviews(repository=REPOSITORY, line=LINE, because="the branch is gone"),
    )


def test_a_branch_that_was_deleted_and_made_again_is_left_alone() -> None:
    event = BranchDeleted(repository=REPOSITORY, branch=BRANCH, before=OLD)

    assert decide(event, found(NEW)).reason is Reason.STALE_PUSH
