"""What the events besides `push` mean: pull requests, comments, checks, repositories."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.events import (
    AppUninstalled,
    BranchDeleted,
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    CommentWritten,
    PullRequestClosed,
    PullRequestLabeled,
    PullRequestOpened,
    PullRequestRetargeted,
    PullRequestSynchronized,
    PullRequestUnlabeled,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryRenamed,
    partition_of,
)
from bot.core.model.ids import (
    Branch,
    CommentId,
    CommitSha,
    Login,
    PullNumber,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine, PullLine
from bot.core.model.pulls import PullRequest, PullState
from bot.webhooks.parse import parse
from tests.fakes.github.documents import examples

REPOSITORY = Repository(
    id=RepositoryId(186853002),
    name=RepoName("Codertocat/Hello-World"),
    default_branch=Branch("master"),
)
PULL = PullRequest(
    number=PullNumber(2),
    state=PullState.OPEN,
    author=Login("Codertocat"),
    author_is_bot=False,
    head=CommitSha("ec26c3e57ca3a959ca5aad62de7213c562f8c821"),
    head_branch=Branch("changes"),
    head_repository=RepositoryId(186853002),
    base_branch=Branch("master"),
)


def example(kind: str, action: str) -> dict[str, Any]:
    found = next(payload for payload in examples()[kind] if payload.get("action") == action)
    return deepcopy(found)


def pull_request(action: str, **changes: object) -> dict[str, Any]:
    """Return GitHub's example of an opened pull request under another action."""
    payload = example("pull_request", "opened") | {"action": action}
    payload["pull_request"] |= changes
    return payload


def comment(body: str = "/preview help", **changes: object) -> dict[str, Any]:
    """Return GitHub's example of a comment as one on a pull request has it."""
    payload = example("issue_comment", "created")
    payload["issue"]["pull_request"] = {"url": "https://api.github.com/repos/x/y/pulls/1"}
    payload["comment"] |= {"body": body, **changes}
    return payload


def test_an_opened_pull_request_says_where_its_code_lies() -> None:
    assert parse("pull_request", pull_request("opened")) == PullRequestOpened(
        repository=REPOSITORY, pull=PULL
    )


def test_a_branch_of_the_repository_itself_is_previewed_as_that_branch() -> None:
    assert PULL.line(REPOSITORY) == BranchLine(Branch("changes"))


@pytest.mark.parametrize("fork", [{"id": 77}, None], ids=["a fork", "a fork that is gone"])
def test_a_fork_is_a_line_of_its_own_whatever_its_branch_is_called(fork: object) -> None:
    payload = pull_request("synchronize")
    payload["pull_request"]["head"] |= {"ref": "master", "repo": fork}

    event = parse("pull_request", payload)

    assert isinstance(event, PullRequestSynchronized)
    assert event.pull.line(REPOSITORY) == PullLine(PullNumber(2))


@pytest.mark.parametrize(
    ("merged_at", "state"),
    [(None, PullState.CLOSED), ("2026-11-20T12:00:00Z", PullState.MERGED)],
)
def test_a_closed_pull_request_was_merged_or_not(merged_at: str | None, state: PullState) -> None:
    event = parse("pull_request", pull_request("closed", state="closed", merged_at=merged_at))

    assert isinstance(event, PullRequestClosed)
    assert event.pull.state is state


def test_another_base_is_a_new_aim_and_another_title_is_nothing() -> None:
    aimed = pull_request("edited") | {"changes": {"base": {"ref": {"from": "next"}}}}
    titled = pull_request("edited") | {"changes": {"title": {"from": "Old"}}}

    assert parse("pull_request", aimed) == PullRequestRetargeted(
        repository=REPOSITORY, pull=PULL, former_base=Branch("next")
    )
    assert parse("pull_request", titled) == Ignored(
        reason=Reason.EVENT_NOT_HANDLED, detail="nothing follows from pull_request.edited"
    )


def test_a_label_comes_and_goes_by_its_name() -> None:
    labels = [{"name": "preview"}, {"name": "bug"}]
    came = pull_request("labeled", labels=labels) | {"label": {"name": "preview"}}
    went = pull_request("unlabeled", labels=labels[1:]) | {"label": {"name": "preview"}}

    assert parse("pull_request", came) == PullRequestLabeled(
        repository=REPOSITORY,
        pull=parse_pull(labels=labels),
        label="preview",
    )
    assert parse("pull_request", went) == PullRequestUnlabeled(
        repository=REPOSITORY,
        pull=parse_pull(labels=labels[1:]),
        label="preview",
    )


def parse_pull(**changes: object) -> PullRequest:
    event = parse("pull_request", pull_request("opened", **changes))
    assert isinstance(event, PullRequestOpened)
    return event.pull


def test_an_author_without_an_account_is_the_ghost() -> None:
    assert parse_pull(user=None).author == "ghost"


def test_a_pull_request_of_a_machine_says_so() -> None:
    bot = {"login": "dependabot[bot]", "type": "Bot"}

    assert parse_pull(user=bot).author_is_bot


def test_the_first_line_of_a_comment_is_its_command() -> None:
    assert parse(
        "issue_comment", comment("\n /preview redeploy docs\r\nplease")
    ) == CommentWritten(
        repository=REPOSITORY,
        pull=PullNumber(1),
        comment=CommentId(492700400),
        author=Login("Codertocat"),
        text="/preview redeploy docs",
    )


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (comment("nice work"), Reason.NO_COMMAND),
        (comment("nice\n/preview help"), Reason.NO_COMMAND),
        (comment("/previews"), Reason.NO_COMMAND),
        (comment() | {"action": "edited"}, Reason.EVENT_NOT_HANDLED),
        (comment() | {"action": "deleted"}, Reason.EVENT_NOT_HANDLED),
        (comment(user={"login": "x[bot]", "type": "Bot"}), Reason.BY_A_BOT),
        (example("issue_comment", "created"), Reason.NOT_A_PULL_REQUEST),
    ],
)
def test_a_comment_that_asks_nothing_of_us_is_left_alone(
    payload: dict[str, Any], reason: Reason
) -> None:
    found = parse("issue_comment", payload)

    assert isinstance(found, Ignored)
    assert found.reason is reason


def test_a_button_of_a_check_comes_with_the_commit_it_stood_on() -> None:
    payload = example("check_run", "requested_action")
    payload["check_run"]["external_id"] = "d1"
    payload["requested_action"] = {"identifier": "approve"}

    assert parse("check_run", payload) == CheckActionRequested(
        repository=Repository(
            id=RepositoryId(9384267),
            name=RepoName("electron/electron"),
            default_branch=Branch("master"),
            installation=payload["installation"]["id"],
        ),
        head=CommitSha("5bd5f196a46b8222fb7484f05faba41a73cf34bd"),
        external_id="d1",
        action="approve",
        sender=Login(payload["sender"]["login"]),
    )


def test_a_check_and_a_suite_may_be_asked_for_again() -> None:
    check = parse("check_run", example("check_run", "rerequested"))
    suite = parse("check_suite", example("check_suite", "rerequested"))

    assert isinstance(check, CheckRerequested)
    assert isinstance(suite, CheckSuiteRerequested)


def test_a_deleted_branch_is_one_event_and_a_new_one_none() -> None:
    deleted = examples()["delete"][0] | {"ref": "dev", "ref_type": "branch"}
    created = examples()["create"][0] | {"ref": "dev", "ref_type": "branch"}

    assert parse("delete", deleted) == BranchDeleted(
        repository=REPOSITORY, branch=Branch("dev"), before=None
    )
    assert parse("create", created) == Ignored(
        reason=Reason.PUSH_FOLLOWS,
        detail="the push that made 'dev' says what it points at",
    )


def test_a_renamed_repository_has_its_new_name() -> None:
    payload = example("repository", "renamed")
    payload["repository"]["full_name"] = "octo/new"

    event = parse("repository", payload)

    assert isinstance(event, RepositoryRenamed)
    assert event.repository.name == "octo/new"


def test_the_end_of_anything_else_is_not_the_end_of_the_repository() -> None:
    deleted = example("repository", "privatized") | {"action": "deleted"}
    label_deleted = deleted | {"label": {"name": "bug"}}

    assert isinstance(parse("repository", deleted), RepositoryDeleted)
    assert parse("repository", label_deleted) == Ignored(
        reason=Reason.PAYLOAD_NOT_UNDERSTOOD,
        detail="the payload: label is no part of a repository event",
    )


def test_an_installation_ends_as_a_whole_or_in_part() -> None:
    whole = parse("installation", example("installation", "deleted"))
    part = parse("installation_repositories", example("installation_repositories", "removed"))

    assert whole == AppUninstalled(installation=2)
    assert isinstance(part, RepositoriesRemoved)
    assert partition_of(whole) == "installation/2"
    assert partition_of(part) == f"installation/{part.installation}"


def test_events_of_one_repository_are_decided_one_after_another() -> None:
    opened = parse("pull_request", pull_request("opened"))

    assert isinstance(opened, PullRequestOpened)
    assert partition_of(opened) == str(REPOSITORY.id)


@pytest.mark.parametrize(
    ("kind", "payload", "problem"),
    [
        ("pull_request", pull_request("opened") | {"number": 9}, "number does not agree with"),
        (
            "pull_request",
            pull_request("opened", number=2**63) | {"number": 2**63},
            "number: Input should be less than or equal to 9223372036854775807",
        ),
        ("pull_request", pull_request("opened", head={}), "pull_request.head.ref: Field required"),
        ("issue_comment", comment(id="x"), "comment.id: Input should be a valid integer"),
        (
            "check_run",
            example("check_run", "requested_action") | {"requested_action": None},
            "requested_action: Field required",
        ),
    ],
)
def test_what_is_malformed_is_told_by_the_place(
    kind: str, payload: dict[str, Any], problem: str
) -> None:
    found = parse(kind, payload)

    assert isinstance(found, Ignored)
    assert found.reason is Reason.PAYLOAD_NOT_UNDERSTOOD
    assert found.detail.startswith(problem)


@given(
    text=st.text(max_size=40),
    branch=st.text(min_size=1, max_size=40),
    sha=st.text("0123456789abcdef", min_size=38, max_size=42),
)
def test_whatever_the_texts_are_there_is_an_outcome(text: str, branch: str, sha: str) -> None:
    payload = pull_request("opened", user={"login": text, "type": text})
    payload["pull_request"]["head"] |= {"ref": branch, "sha": sha}

    assert isinstance(parse("pull_request", payload), PullRequestOpened | Ignored)
    assert isinstance(
        parse("issue_comment", comment(f"/preview {text}")), CommentWritten | Ignored
    )
