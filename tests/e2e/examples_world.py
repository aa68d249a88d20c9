"""GitHub's example deliveries into a running bot, and what it decided about each.

The payloads go out as they are, so the world is made to fit them: their repositories and their
installations stand on the fake, with their numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot.bootstrap.reader import Reader
from bot.ports.inbox import DeliveryRecord
from tests.e2e import apps
from tests.e2e.github_world import GitHubWorld, as_app
from tests.e2e.patience import until
from tests.fakes.github.entities import App, Installation, JsonObject
from tests.fakes.github.further_examples import STRANGER, Example, all_examples
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub

# All are decided within seconds; a busy machine takes longer.
WITHIN_S = 100


@dataclass(frozen=True, kw_only=True)
class Decided:
    """An example, and what became of it."""

    example: Example
    status: int  # of the receiver's answer
    reason: str
    detail: str

    @property
    def is_githubs(self) -> bool:
        return self.example.name.isdecimal()


@contextmanager
def world_of_examples(folder: Path) -> Iterator[GitHubWorld]:
    """Run a bot, as an App, on a GitHub that has what the examples tell of."""
    with as_app(folder) as world:
        [app] = world.gh.store.apps.values()
        for payload in _told(all_examples()):
            _make(world.gh, app, payload)
        _open_the_pull_request(world.gh)
        yield world


def decided(world: GitHubWorld) -> list[Decided]:
    """Deliver every example, in order, and return what was decided about each.

    First GitHub's own, in which the pull request is a branch's; then ours, in which it is a
    stranger's fork's.
    """
    every = all_examples()
    given = [example for example in every if example.name.isdecimal()]
    found = _decided(world, given, "githubs")
    _hand_the_pull_request_to_a_fork(world.gh)
    return found + _decided(world, every[len(given) :], "ours")


def _decided(world: GitHubWorld, examples: Sequence[Example], kind: str) -> list[Decided]:
    sent = []
    for number, example in enumerate(examples):
        guid = f"{kind}-{number:03}"
        answer = world.deliver(example.payload, event=example.event, guid=guid)
        sent.append((example, guid, answer.status_code))
    with world.installation.reader() as reader:
        found = []
        for example, guid, status in sent:
            record = until(
                partial(_with_reason, reader, guid),
                f"a decision about {example.event} {example.name}",
                within_s=WITHIN_S,
            )
            found.append(
                Decided(
                    example=example,
                    status=status,
                    reason=record.reason or "",
                    detail=record.detail or "",
                )
            )
    return found


def _with_reason(reader: Reader, guid: str) -> DeliveryRecord | None:
    return next((record for record in reader.deliveries(guid) if record.reason), None)


def _told(examples: Sequence[Example]) -> Iterator[JsonObject]:
    """Yield each repository once, with the installations that it is told of under."""
    known: dict[int, JsonObject] = {}
    for example in examples:
        repository = example.payload.get("repository")
        if repository is None:
            continue
        found = known.setdefault(repository["id"], {**repository, "installations": set()})
        installation = example.payload.get("installation")
        if installation is not None:
            found["installations"].add(installation["id"])
    yield from known.values()


def _make(gh: FakeGitHub, app: App, told: JsonObject) -> None:
    if told["full_name"].lower() in gh.store.repositories:
        return  # two numbers under one name: nothing that follows concerns the second
    branch = told["default_branch"]
    repository = gh.add_repository(
        told["full_name"], private=told["private"], default_branch=branch
    )
    _renumber(gh, repository, told["id"])
    repository.commit(apps.greets("hello"), branch=branch)
    for number in told["installations"]:
        with gh.store.changing():
            known = gh.store.installations.get(number)
            others = set() if known is None else known.repositories
            gh.store.installations[number] = Installation(
                id=number,
                app=app,
                account=repository.owner,
                repositories=others | {repository.id},
            )


def _open_the_pull_request(gh: FakeGitHub) -> None:
    """Open the pull request that most examples are about, from the branch that they name."""
    repository = gh.store.repository("Codertocat/Hello-World")
    repository.commit(apps.greets("changed"), branch="changes", parent=repository.head("master"))
    gh.open_pull_numbered(2, repository, "changes")


def _hand_the_pull_request_to_a_fork(gh: FakeGitHub) -> None:
    repository = gh.store.repository("Codertocat/Hello-World")
    fork = gh.fork(repository, STRANGER)
    fork.commit(apps.greets("strange"), branch="changes")
    with gh.store.changing():
        pull = gh.store.pulls[repository.full_name, 2]
        pull.head_repository, pull.author = fork, STRANGER
        pull.refresh()
    gh.give_role(repository, "Codertocat", "admin")


def _renumber(gh: FakeGitHub, repository: FakeRepository, number: int) -> None:
    before, repository.id = repository.id, number
    with gh.store.changing():
        for key, each in gh.store.installations.items():
            if before in each.repositories:
                others = each.repositories - {before}
                gh.store.installations[key] = replace(each, repositories=others | {number})
