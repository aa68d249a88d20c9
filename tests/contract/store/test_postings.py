"""One suite for every memory of what stands on the forge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.storage import connect
from bot.adapters.storage.memory_shelves import MemoryPostings
from bot.adapters.storage.postings import SqlPostings
from bot.core.model.surfaces import Surface
from bot.ports.postings import Posting, Postings


@pytest.fixture(params=["sql", "memory"])
def postings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Postings]:
    if request.param == "memory":
        yield MemoryPostings()
        return
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    engines = connect.engines(url)
    yield SqlPostings(engines)
    engines.dispose()


def posting(subject: str, said: str = "queued", group: str = "p1") -> Posting:
    return Posting(surface=Surface.DEPLOYMENT, subject=subject, group=group, ref="99", said=said)


def test_the_last_word_about_a_subject_stands(postings: Postings) -> None:
    postings.put(posting("d1"))
    postings.put(posting("d1", said="success \0 http://x"))

    found = postings.of(Surface.DEPLOYMENT, "d1")

    assert found is not None
    assert found.said.startswith("success ")


def test_nothing_is_known_before_the_first_word(postings: Postings) -> None:
    postings.put(posting("d1"))

    assert postings.of(Surface.DEPLOYMENT, "d2") is None
    assert postings.of(Surface.CHECK, "d1") is None


def test_a_group_is_listed_in_order_of_its_first_words(postings: Postings) -> None:
    for subject, group in (("d1", "p1"), ("d2", "p1"), ("d3", "p2")):
        postings.put(posting(subject, group=group))
    postings.put(posting("d1", said="success"))

    found = postings.in_group(Surface.DEPLOYMENT, "p1")

    assert [(each.subject, each.said) for each in found] == [("d1", "success"), ("d2", "queued")]
    assert postings.in_group(Surface.CHECK, "p1") == []


def test_what_is_forgotten_is_as_if_it_had_never_been(postings: Postings) -> None:
    postings.put(posting("d1"))

    postings.forget(Surface.DEPLOYMENT, "d1")
    postings.forget(Surface.DEPLOYMENT, "d1")

    assert postings.of(Surface.DEPLOYMENT, "d1") is None
    assert postings.in_group(Surface.DEPLOYMENT, "p1") == []
