import json
from collections import Counter
from copy import deepcopy
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.events import BranchDeleted, BranchPushed, Event
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.webhooks.parse import parse
from tests.fakes.github.documents import examples

NOTHING = "0" * 40
OLD = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
NEW = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"

# What GitHub's own examples, all of them, come to.
OUTCOMES = {
    ("check_run", "CheckActionRequested"): 1,
    ("check_run", "CheckRerequested"): 2,
    ("check_run", "event-not-handled"): 6,
    ("check_suite", "CheckSuiteRerequested"): 2,
    ("check_suite", "event-not-handled"): 7,
    ("create", "event-not-handled"): 5,
    ("delete", "event-not-handled"): 4,
    ("deployment", "event-not-handled"): 4,
    ("deployment_status", "event-not-handled"): 4,
    ("installation", "AppUninstalled"): 2,
    ("installation", "event-not-handled"): 5,
    ("installation_repositories", "RepositoriesRemoved"): 1,
    ("installation_repositories", "event-not-handled"): 2,
    ("issue_comment", "event-not-handled"): 4,
    ("issue_comment", "not-a-pull-request"): 5,
    ("ping", "ping"): 4,
    ("pull_request", "PullRequestClosed"): 2,
    ("pull_request", "PullRequestConvertedToDraft"): 3,
    ("pull_request", "PullRequestLabeled"): 2,
    ("pull_request", "PullRequestMarkedReady"): 3,
    ("pull_request", "PullRequestOpened"): 4,
    ("pull_request", "PullRequestReopened"): 2,
    ("pull_request", "PullRequestSynchronized"): 1,
    ("pull_request", "PullRequestUnlabeled"): 2,
    ("pull_request", "event-not-handled"): 10,
    ("push", "BranchPushed"): 2,
    ("push", "tag-push"): 5,
    ("repository", "RepositoryPrivatized"): 2,
    ("repository", "RepositoryRenamed"): 1,
    ("repository", "RepositoryTransferred"): 3,
    ("repository", "event-not-handled"): 7,
    ("repository_dispatch", "event-not-handled"): 2,
    ("workflow_dispatch", "event-not-handled"): 2,
}


def push(**changes: object) -> dict[str, Any]:
    """Return GitHub's example of a push, as an ordinary update of a branch."""
    ordinary = {"before": OLD, "after": NEW, "created": False, "ref": "refs/heads/master"}
    return deepcopy(examples()["push"][4]) | ordinary | changes


REPOSITORY = Repository(
    id=RepositoryId(186853002),
    name=RepoName("Codertocat/Hello-World"),
    default_branch=Branch("master"),
    installation=1,
)


def test_a_push_to_a_branch_says_where_it_points() -> None:
    assert parse("push", push(forced=True)) == BranchPushed(
        repository=REPOSITORY,
        branch=Branch("master"),
        before=CommitSha(OLD),
        after=CommitSha(NEW),
        forced=True,
    )


def test_a_new_branch_points_at_nothing_before() -> None:
    event = parse("push", push(before=NOTHING, created=True))

    assert isinstance(event, BranchPushed)
    assert event.before is None


def test_a_deleted_branch_is_an_event_of_its_own() -> None:
    assert parse("push", push(after=NOTHING, deleted=True, head_commit=None)) == BranchDeleted(
        repository=REPOSITORY, branch=Branch("master"), before=CommitSha(OLD)
    )


def test_without_an_app_there_is_no_installation() -> None:
    payload = push()
    del payload["installation"]

    event = parse("push", payload)

    assert isinstance(event, BranchPushed)
    assert event.repository.installation is None


def test_a_clone_url_is_never_read() -> None:
    payload = push()
    payload["repository"]["clone_url"] = "ext::sh -c touch% /tmp/x"

    assert parse("push", payload) == parse("push", push())


@pytest.mark.parametrize(
    "branch",
    [
        "--upload-pack=touch x",
        "../../x",
        "a;b",
        "pr-7",
        "feature/hello-world",
        "refs/heads/main",
        "x" * 250,
        "🦕/preview",
        "<b>@everyone</b>",
    ],
)
def test_the_name_of_a_branch_is_data(branch: str) -> None:
    event = parse("push", push(ref=f"refs/heads/{branch}"))

    assert isinstance(event, BranchPushed)
    assert event.branch == branch


def _without(*path: str) -> dict[str, Any]:
    payload = push()
    place = payload
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return payload


def _repository(**changes: object) -> dict[str, Any]:
    payload = push()
    payload["repository"] |= changes
    return payload


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (None, "the payload: Input should be a valid dictionary or instance of PushPayload"),
        ([], "the payload: Input should be a valid dictionary or instance of PushPayload"),
        (_without("after"), "after: Field required"),
        (_without("pusher"), "pusher: Field required"),
        (_without("repository", "id"), "repository.id: Field required"),
        (_repository(id="186853002"), "repository.id: Input should be a valid integer"),
        (_repository(id=0), "repository.id: Input should be greater than or equal to 1"),
        (
            _repository(full_name="../etc"),
            "repository.full_name is not an owner and a name",
        ),
        (
            _repository(full_name="--octo/x"),
            "repository.full_name is not an owner and a name",
        ),
        (
            _repository(default_branch=""),
            "repository.default_branch is empty or has control characters",
        ),
        (
            _repository(default_branch="main\x00"),
            "repository.default_branch is empty or has control characters",
        ),
        (push(after="HEAD"), "after is not a commit id"),
        (push(after=NEW.upper()), "after is not a commit id"),
        (push(before=NEW[:39]), "before is not a commit id"),
        (push(deleted=True), "deleted does not agree with after"),
        (push(after=NOTHING), "deleted does not agree with after"),
        (push(ref="refs/heads/"), "ref is empty or has control characters"),
        (push(ref="refs/heads/a\nb"), "ref is empty or has control characters"),
        (push(ref="refs/heads/a\x00b"), "ref is empty or has control characters"),
        (push(ref="refs/heads/" + "x" * 1024), "ref is longer than 1024 bytes"),
    ],
)
def test_a_malformed_push_is_told_by_the_place(payload: object, problem: str) -> None:
    assert parse("push", payload) == Ignored(reason=Reason.PAYLOAD_NOT_UNDERSTOOD, detail=problem)


def test_a_ref_that_is_neither_branch_nor_tag_is_not_handled() -> None:
    assert parse("push", push(ref="refs/pull/7/head")) == Ignored(
        reason=Reason.EVENT_NOT_HANDLED, detail="'refs/pull/7/head' is not a branch"
    )


def test_a_payload_of_one_kind_under_the_name_of_another_is_not_understood() -> None:
    handled = {kind for kind, outcome in OUTCOMES if outcome != "event-not-handled"}
    mixed = {
        (claimed, kind): parse(claimed, payload)
        for claimed in handled
        for kind, payloads in examples().items()
        for payload in payloads
        if kind != claimed
    }

    understood = [
        pair
        for pair, found in mixed.items()
        if not isinstance(found, Ignored) or found.reason is not Reason.PAYLOAD_NOT_UNDERSTOOD
    ]
    assert understood == []


def test_all_of_githubs_examples_have_an_outcome() -> None:
    found = Counter(
        (kind, _word(parse(kind, payload)))
        for kind, payloads in examples().items()
        for payload in payloads
    )

    assert found == OUTCOMES
    assert found.total() == 111


def _word(outcome: Event | Ignored) -> str:
    return str(outcome.reason) if isinstance(outcome, Ignored) else type(outcome).__name__


# --- mutations: whatever a signed body says, it comes to an outcome ----------------------------

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from([NOTHING, NEW, "refs/heads/x", "refs/tags/x", "0" * 64, "octo/hello"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def _places(value: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [here] if here else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*here, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found += _places(inner, (*here, index))
    return found


# The parts that are read come up more often than the many that are not.
PLACES = [p for p in _places(push()) if len(p) == 1] * 3 + _places(push())


@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), JSON_VALUES), max_size=4))
def test_a_mutated_push_is_an_event_or_ignored(
    changes: list[tuple[tuple[str | int, ...], object]],
) -> None:
    payload: Any = push()
    for path, value in changes:
        place = payload
        try:
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away

    outcome = parse("push", payload)

    assert isinstance(outcome, (*get_args(Event), Ignored))


@given(event_name=st.sampled_from(["push", "ping", "star"]), payload=JSON_VALUES)
def test_any_json_at_all_is_an_event_or_ignored(event_name: str, payload: object) -> None:
    outcome = parse(event_name, json.loads(json.dumps(payload)))

    assert isinstance(outcome, Ignored)
