"""Every example delivery, and many that nobody sends, into a running bot."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.bootstrap.reader import Reader
from tests.e2e import apps
from tests.e2e.github_world import GitHubWorld, as_app
from tests.fakes.github import payloads
from tests.fakes.github.entities import Installation
from tests.fakes.github.further_examples import all_examples, comment
from tests.fakes.github.repository import FakeRepository
from tests.pipeline.events_table import outcome
from tests.pipeline.mutations import Mutation, Template

HOOK = 7


@dataclass
class Sender:
    """Posts deliveries on one connection, as GitHub's do not wait for each other's outcome."""

    world: GitHubWorld
    client: httpx.Client
    sent: list[str] = field(default_factory=list)  # GUIDs

    def send(self, event: str, payload: Mapping[str, Any]) -> int:
        guid = f"sent-{len(self.sent)}"
        self.sent.append(guid)
        body = json.dumps(payload).encode()
        headers = payloads.headers(event, guid, HOOK, body, self.world.secret)
        url = self.world.installation.address["webhook_url"]
        return self.client.post(url, content=body, headers=headers).status_code

    def reasons(self, guids: list[str]) -> dict[str, str]:
        """Return why each led to what it did, as soon as all are decided and say so in words."""

        def decided(reader: Reader) -> dict[str, str] | None:
            found = {guid: reader.deliveries(guid) for guid in guids}
            known = {guid: records[0] for guid, records in found.items() if records}
            whole = {guid: it.reason for guid, it in known.items() if it.reason and it.detail}
            return whole if len(whole) == len(guids) else None

        return self.world.installation.look_until(decided, "all deliveries to be decided")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    with as_app(tmp_path_factory.mktemp("events")) as world:
        yield world


@pytest.fixture(scope="module")
def sender(world: GitHubWorld) -> Iterator[Sender]:
    with httpx.Client(trust_env=False) as client:
        yield Sender(world, client)


@pytest.fixture(scope="module")
def known_repositories(world: GitHubWorld) -> list[FakeRepository]:
    """Let the repositories of GitHub's examples be there, with nothing in them."""
    known: dict[str, int] = {}
    installations: defaultdict[int, set[int]] = defaultdict(set)
    for example in all_examples():
        about = example.payload.get("repository")
        if about is not None:
            known[about["full_name"]] = about["id"]
            installations[example.payload.get("installation", {"id": 1})["id"]].add(about["id"])
    found = []
    app = next(iter(world.gh.store.apps.values()))
    for name, key in known.items():
        repository = world.gh.add_repository(name)
        repository.id = key
        found.append(repository)
    with world.gh.store.changing():
        for number, keys in installations.items():
            world.gh.store.installations[number] = Installation(
                id=number, app=app, account="Codertocat", repositories=keys
            )
    return found


def test_every_example_is_answered_and_decided_as_the_table_says(
    world: GitHubWorld, sender: Sender, known_repositories: list[FakeRepository]
) -> None:
    assert known_repositories
    examples = all_examples()
    first = len(sender.sent)

    statuses = {sender.send(example.event, example.payload) for example in examples}

    guids = sender.sent[first:]
    reasons = sender.reasons(guids)
    assert statuses == {202}
    assert len([example for example in examples if example.name.isdecimal()]) == 111
    assert [(e.event, e.name, reasons[guid]) for e, guid in zip(examples, guids, strict=True)] == [
        (e.event, e.name, outcome(e, late=True).reason) for e in examples
    ]
    world.gh.fail_on_violations()


def test_mutated_deliveries_leave_a_running_bot_decided_and_its_checks_closed(
    world: GitHubWorld, sender: Sender
) -> None:
    repository = world.gh.add_repository("octo/hello")
    before = repository.commit(apps.greets("hello"))
    head = repository.commit(apps.changed_greeting("hello again"))
    repository.commit(apps.changed_greeting("feature"), branch="feature")
    pull = world.gh.open_pull(repository, "feature")
    pushed = world.gh.push_payload(repository, "main", before, head)
    about = {"repository": pushed["repository"], "installation": pushed["installation"]}
    opened = world.gh.pull_payload(pull, "opened")
    said = comment("/preview status") | about
    said["issue"]["number"] = pull.number
    templates = [
        Template("push", pushed),
        Template("pull_request", opened),
        Template("issue_comment", said),
    ]
    first = len(sender.sent)

    @settings(max_examples=25, deadline=None, database=None, phases=[Phase.generate])
    @given(st.one_of([st.tuples(st.just(each), each.mutations) for each in templates]))
    def send(mutated: tuple[Template, Mutation]) -> None:
        template, mutation = mutated
        assert sender.send(mutation.event, mutation.of(template.payload)) == 202

    send()
    assert sender.send("push", pushed) == 202

    reasons = sender.reasons(sender.sent[first:])
    assert "intake-failed" not in reasons.values()
    assert world.checked(repository, head).conclusion == "success"
    world.gh.wait_for(
        lambda: all(run.status == "completed" for run in world.gh.store.checks.values()) or None,
        "no check to be open",
        timeout=40,
    )


def test_a_push_to_a_repository_that_the_app_was_not_given_is_decided(
    world: GitHubWorld, sender: Sender
) -> None:
    repository = world.gh.add_repository("octo/foreign")
    pushed = world.gh.push_payload(repository, "main", None, repository.commit({"a.txt": "1"}))

    status = sender.send("push", pushed | {"installation": {"id": 999}})

    guid = sender.sent[-1]
    assert status == 202
    assert sender.reasons([guid]) == {guid: "forge-refused"}
