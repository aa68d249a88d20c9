"""What only the SQL store must care about: odd text, caches, raw deliveries."""

from dataclasses import replace

import pytest

from bot.adapters.storage import connect, deliveries
from bot.adapters.storage.known_blobs import MAX_CHUNKS, KnownBlobs
from bot.adapters.storage.tables import blob_chunks
from bot.core.model.decisions import Ignored, Reason
from bot.core.model.errors import RecordNotFound
from bot.core.model.events import BranchDeleted, BranchPushed, Event
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    Branch,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    HookId,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.ports.inbox import Received
from tests.fakes.clock import NOON

SITE = AppSlug("site")
REPOSITORY = Repository(
    id=RepositoryId(7), name=RepoName("octo/site"), default_branch=Branch("main")
)
KEY = DeliveryKey(hook=HookId("1"), guid=DeliveryGuid("a"))


def blobs(*numbers: int) -> set[BlobSha]:
    return {BlobSha(f"{number:040x}") for number in numbers}


def chunks(engines: connect.Engines) -> int:
    with engines.read.connect() as connection:
        return len(connection.execute(blob_chunks.select()).all())


def test_what_another_process_remembers_and_forgets_is_seen(engines: connect.Engines) -> None:
    ours, theirs = KnownBlobs(engines), KnownBlobs(engines)
    ours.add("embedded", SITE, blobs(1))
    assert theirs.of("embedded", SITE) == blobs(1)

    theirs.add("embedded", SITE, blobs(2))
    assert ours.of("embedded", SITE) == blobs(1, 2)
    theirs.discard("embedded", SITE, blobs(1))
    assert ours.of("embedded", SITE) == blobs(2)


def test_what_is_known_is_not_stored_again(engines: connect.Engines) -> None:
    known = KnownBlobs(engines)
    known.add("embedded", SITE, blobs(1, 2))

    known.add("embedded", SITE, blobs(2))

    assert chunks(engines) == 1


def test_many_small_chunks_become_one(engines: connect.Engines) -> None:
    known = KnownBlobs(engines)
    for number in range(MAX_CHUNKS + 1):
        known.add("embedded", SITE, blobs(number))

    assert chunks(engines) == 1
    assert known.of("embedded", SITE) == blobs(*range(MAX_CHUNKS + 1))


def test_ten_thousand_blobs_come_back(engines: connect.Engines) -> None:
    many = blobs(*range(10_000))
    KnownBlobs(engines).add("embedded", SITE, many)

    assert KnownBlobs(engines).of("embedded", SITE) == many


def received(verdict: Event | Ignored) -> Received:
    return Received(
        key=KEY, event_name="push", body=b"\x00\xff{}", verdict=verdict, received_at=NOON
    )


PUSHED = BranchPushed(
    repository=replace(REPOSITORY, installation=12),
    branch=Branch("fea\ture/\N{PILE OF POO}"),
    before=CommitSha("1" * 40),
    after=CommitSha("2" * 40),
    forced=True,
)
DELETED = BranchDeleted(repository=REPOSITORY, branch=Branch("main"), before=None)


@pytest.mark.parametrize("event", [PUSHED, DELETED], ids=["pushed", "deleted"])
def test_a_delivery_is_loaded_as_it_came(engines: connect.Engines, event: Event) -> None:
    with engines.write.begin() as connection:
        deliveries.insert(connection, received(event))

    with engines.read.connect() as connection:
        stored = deliveries.load(connection, KEY)
    assert stored == deliveries.StoredDelivery(
        event_name="push", body=b"\x00\xff{}", event=event, received_at=NOON
    )


def test_an_ignored_delivery_holds_no_event(engines: connect.Engines) -> None:
    with engines.write.begin() as connection:
        deliveries.insert(connection, received(Ignored(reason=Reason.PING, detail="")))
        with pytest.raises(RecordNotFound, match="1/a"):
            deliveries.load(connection, KEY)


def test_a_delivery_that_never_came_cannot_be_loaded(engines: connect.Engines) -> None:
    with engines.read.connect() as connection, pytest.raises(RecordNotFound, match="1/a"):
        deliveries.load(connection, KEY)


def test_text_that_no_database_takes_is_mended(engines: connect.Engines) -> None:
    with engines.write.begin() as connection:
        ignored = Ignored(reason=Reason.PAYLOAD_NOT_UNDERSTOOD, detail="half \ud800 and \0")
        deliveries.insert(connection, received(ignored))

    with engines.read.connect() as connection:
        assert [one.detail for one in deliveries.find(connection, "a")] == ["half ? and \ufffd"]
