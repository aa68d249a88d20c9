"""What GitHub's examples lack, made by us: shaped as GitHub's schemas say, and understood."""

import json
from typing import Any

import pytest

from bot.core.model.decisions import Ignored
from bot.webhooks.parse import HANDLED, parse
from tests.fakes.github.further_examples import Example, all_examples, further_examples, push
from tests.fakes.github.webhook_schemas import SCHEMAS, cut, payload_problem

FURTHER = further_examples()


def named(example: Example) -> str:
    return f"{example.event} {example.name}"


@pytest.mark.parametrize("example", FURTHER, ids=named)
def test_what_we_add_to_githubs_examples_fits_githubs_schema(example: Example) -> None:
    assert payload_problem(example.event, example.payload) is None


def test_what_we_add_comes_to_what_its_name_says() -> None:
    assert {named(example): outcome(example) for example in FURTHER} == {
        "push to a branch": "BranchPushed",
        "push forced, back to an older commit": "BranchPushed",
        "push of a new branch": "BranchPushed",
        "push of a branch's end": "BranchDeleted",
        "create of a branch": "push-follows",
        "delete of a branch": "BranchDeleted",
        "pull_request from a fork": "PullRequestOpened",
        "pull_request from a fork that is gone": "PullRequestOpened",
        "pull_request from a fork, pushed to": "PullRequestSynchronized",
        "pull_request from a fork, merged": "PullRequestClosed",
        "pull_request with another base": "PullRequestRetargeted",
        "pull_request with another title": "event-not-handled",
        "issue_comment with a command": "CommentWritten",
        "issue_comment with what is no command of ours": "CommentWritten",
        "issue_comment without a command": "no-command",
        "issue_comment with a command, by a bot": "by-a-bot",
        "issue_comment with a command, edited": "event-not-handled",
        "check_run with the button Redeploy": "CheckActionRequested",
        "check_run with the button Approve": "CheckActionRequested",
        "repository at its end": "RepositoryDeleted",
    }


def outcome(example: Example) -> str:
    found = parse(example.event, example.payload)
    return str(found.reason) if isinstance(found, Ignored) else type(found).__name__


def test_every_event_that_is_read_has_an_example_that_fits_its_schema() -> None:
    fitting = {
        example.event
        for example in all_examples()
        if example.event in HANDLED and payload_problem(example.event, example.payload) is None
    }

    assert fitting == HANDLED


def without(key: str) -> dict[str, Any]:
    payload = push()
    del payload[key]
    return payload


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (without("pusher"), "the payload: 'pusher' is a required property"),
        (push(forced="no"), "forced: 'no' is not of type 'boolean'"),
        (push() | {"number": 1}, "the payload: Additional properties are not allowed"),
        (push() | {"action": "pulled"}, "there is no schema push$pulled"),
    ],
)
def test_the_schema_refuses_what_github_would_not_send(
    payload: dict[str, Any], problem: str
) -> None:
    found = payload_problem("push", payload)

    assert found is not None
    assert found.startswith(problem)


def test_the_schemas_are_those_of_the_events_that_are_read_and_no_others() -> None:
    definitions = json.loads(SCHEMAS.read_bytes())

    assert cut({"definitions": definitions}, HANDLED) == definitions
    assert {name.partition("$")[0] for name in definitions if "$" in name} == HANDLED
