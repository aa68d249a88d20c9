from datetime import UTC, datetime

import pytest

from bot.core.model.errors import IllegalTransition
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeploymentId,
    Generation,
    PreviewId,
    RepoName,
    Repository,
    RepositoryId,
    commit_sha,
    repo_name,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment, DeploymentState, Preview


def deployment(state: DeploymentState) -> Deployment:
    preview = Preview(
        id=PreviewId("p"),
        repository=Repository(
            id=RepositoryId(1), name=RepoName("a/b"), default_branch=Branch("main")
        ),
        line=BranchLine(Branch("main")),
        app=AppName(""),
        slug=AppSlug("hello"),
        label=None,
        generation=Generation(1),
    )
    return Deployment(
        id=DeploymentId("d"),
        preview=preview,
        generation=Generation(1),
        head=CommitSha("0" * 40),
        state=state,
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


@pytest.mark.parametrize("text", ["octo/hello", "a/b.c", "A-1/_x"])
def test_repository_names_are_two_parts(text: str) -> None:
    assert repo_name(text) == text


@pytest.mark.parametrize(
    "text", ["", "hello", "a/b/c", "-x/y", "../x", "a/..", "a/.", "a/b\n", "a b/c", "a/b?c", "/x"]
)
def test_a_name_that_could_be_a_path_trick_or_an_option_is_none(text: str) -> None:
    assert repo_name(text) is None


def test_a_commit_is_named_in_full() -> None:
    assert commit_sha("a" * 40) == "a" * 40
    assert commit_sha("a" * 64) == "a" * 64
    assert commit_sha("a" * 39) is None
    assert commit_sha("A" * 40) is None
    assert commit_sha("a" * 40 + "\n") is None


@pytest.mark.parametrize("state", [state for state in DeploymentState if state != "queued"])
def test_what_is_over_stays_as_it_is(state: DeploymentState) -> None:
    present = deployment(state)

    for wanted in DeploymentState:
        if present.is_over and wanted is not state:
            with pytest.raises(IllegalTransition, match=str(wanted)):
                present.moved_to(wanted)


def test_nothing_is_live_without_having_been_deployed() -> None:
    with pytest.raises(IllegalTransition, match="queued to live"):
        deployment(DeploymentState.QUEUED).moved_to(DeploymentState.LIVE)


def test_a_deployment_that_starts_again_after_a_crash_is_legal() -> None:
    again = deployment(DeploymentState.DEPLOYING).moved_to(DeploymentState.DEPLOYING)

    assert again.state is DeploymentState.DEPLOYING
