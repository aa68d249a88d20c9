"""What the fake posts is what GitHub would post, and the bot reads it so."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.events import BranchDeleted, BranchPushed
from bot.webhooks.delivery import Delivery, read
from bot.webhooks.parse import parse
from bot.webhooks.signature import HEADER, verified_by
from tests.fakes.github.documents import examples
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.fakes.github.webhook_schemas import payload_problem
from tests.integration.github.values import known

GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"


class Receiver:
    """Takes deliveries down as they come."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.server = make_server("127.0.0.1", 0, Request.application(self._receive))
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/github"

    def _receive(self, request: Request) -> Response:
        self.received.append((dict(request.headers), request.get_data()))
        return Response(status=202)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    serving = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    serving.start()
    yield receiver
    receiver.server.shutdown()
    serving.join()
    receiver.server.server_close()


def test_a_delivered_push_is_signed_and_means_what_happened(
    gh: FakeGitHub, repository: FakeRepository, head: str, receiver: Receiver
) -> None:
    gh.add_app()
    newer = repository.commit({"main.ts": "🦕"}, message="Grüße")
    payload = gh.push_payload(repository, "main", head, newer)

    answer = gh.deliver(receiver.url, "push", payload, "s3cret", guid=GUID)

    [(headers, body)] = receiver.received
    assert answer.status_code == gh.store.deliveries[0].status == 202
    assert verified_by(headers[HEADER.title()], body, {"app": b"s3cret"}) == "app"
    delivery = read(headers, body)
    assert isinstance(delivery, Delivery)
    assert (delivery.key.guid, delivery.event_name, delivery.payload) == (GUID, "push", payload)
    event = parse(delivery.event_name, delivery.payload)
    assert isinstance(event, BranchPushed)
    assert event.repository == known(repository, gh.installation_id(repository))
    assert (event.branch, event.before, event.after) == ("main", head, newer)


def test_raw_bytes_are_delivered_unsigned_when_there_is_no_secret(
    gh: FakeGitHub, receiver: Receiver
) -> None:
    gh.deliver(receiver.url, "push", b"{not json", None)

    [(headers, body)] = receiver.received
    assert body == b"{not json"
    assert HEADER.title() not in headers


def test_a_deleted_branch_and_a_tag_are_told_apart(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    deleted = parse("push", gh.push_payload(repository, "main", head, None))
    tag = parse("push", gh.push_payload(repository, "v1", None, head, tag=True))

    assert isinstance(deleted, BranchDeleted)
    assert tag == Ignored(reason=Reason.TAG_PUSH, detail="'refs/tags/v1' is a tag")


def test_a_payload_may_name_a_commit_that_is_gone(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    event = parse("push", gh.push_payload(repository, "main", head, "1" * 40))

    assert isinstance(event, BranchPushed)
    assert event.after == "1" * 40


def test_a_push_payload_is_shaped_like_githubs(gh: FakeGitHub, repository: FakeRepository) -> None:
    gh.add_app()
    before = repository.commit({"a.txt": "1", "b.txt": "1"})
    repository.commit({"a.txt": "2"}, message="First\n\nwith a body")
    after = repository.commit({"b.txt": None, "c.txt": "1"}, message="Second")

    payload = gh.push_payload(repository, "main", before, after)

    assert set(payload) == set(examples()["push"][4])
    assert [
        (c["message"], c["added"], c["removed"], c["modified"]) for c in payload["commits"]
    ] == [
        ("First\n\nwith a body", [], [], ["a.txt"]),
        ("Second", ["c.txt"], ["b.txt"], []),
    ]
    assert payload["head_commit"] == payload["commits"][-1]
    assert payload["repository"]["full_name"] == "octo/hello"
    assert payload["repository"]["id"] == repository.id
    assert payload["installation"]["id"] == gh.installation_id(repository)
    assert (payload["created"], payload["deleted"], payload["forced"]) == (False, False, False)


def test_going_back_to_an_older_commit_is_a_forced_push(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    newer = repository.commit({"main.ts": "newer"})
    repository.move_branch("main", head)

    payload = gh.push_payload(repository, "main", newer, head)

    assert (payload["forced"], payload["commits"]) == (True, [])


def test_every_push_that_the_fake_tells_of_fits_githubs_schema(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    gh.add_app()
    newer = repository.commit({"main.ts": "newer"})

    told = [
        gh.push_payload(repository, "main", before, after)
        for before, after in ((None, head), (head, newer), (newer, head), (head, None))
    ]

    assert [payload_problem("push", payload) for payload in told] == [None] * 4


def test_every_pull_request_that_the_fake_tells_of_fits_githubs_schema(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    assert head
    repository.commit({"main.ts": "theirs"}, branch="feature")
    ours = gh.open_pull(repository, "feature")
    fork = gh.fork(repository, "eve")
    theirs = gh.open_pull(repository, "feature", fork=fork, author="eve")
    gone = gh.open_pull(repository, "feature", fork=fork, author="eve")
    gone.head_repository = None
    closed = gh.open_pull(repository, "feature")
    gh.close_pull(closed, merged=True)
    base = {"base": {"ref": {"from": "next"}, "sha": {"from": head}}}

    told = [
        *(gh.pull_payload(pull, "opened") for pull in (ours, theirs, gone)),
        *(gh.pull_payload(theirs, action) for action in ("synchronize", "reopened")),
        gh.pull_payload(ours, "edited", changes=base),
        gh.pull_payload(closed, "closed"),
    ]

    assert [payload_problem("pull_request", payload) for payload in told] == [None] * 7
