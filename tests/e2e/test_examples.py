"""GitHub's example deliveries, and ours: each answered, each decided, each with a reason.

What each leads to where everything stands as it tells is in docs/events.md; here a whole bot runs,
and the commits that the examples name are nowhere.
"""

from collections.abc import Iterator

import pytest

from bot.core.model.decisions import Reason
from tests.e2e.examples_world import Decided, decided, world_of_examples


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Decided]]:
    with world_of_examples(tmp_path_factory.mktemp("examples")) as world:
        yield decided(world)


def test_every_example_is_answered_and_decided_with_a_reason(seen: list[Decided]) -> None:
    assert len([each for each in seen if each.is_githubs]) == 111
    assert {each.status for each in seen} == {202}
    assert {each.reason for each in seen} <= set(Reason) - {Reason.INTAKE_FAILED}
    assert [each.example for each in seen if not each.detail] == []


def test_a_strangers_pull_request_waits_for_its_approval(seen: list[Decided]) -> None:
    reasons = {
        f"{each.example.event} {each.example.name}": each.reason
        for each in seen
        if not each.is_githubs
    }

    assert reasons["pull_request from a fork"] == Reason.FORK_AWAITS_APPROVAL
    assert reasons["pull_request from a fork, pushed to"] == Reason.ALREADY_HANDLED
    assert reasons["issue_comment with what is no command of ours"] == "command-misunderstood"
