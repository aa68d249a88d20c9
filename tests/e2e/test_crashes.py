"""Crashes and disorder on real parts; every point and order in full runs in soak/."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.model.ids import Branch
from tests.e2e.author import Author
from tests.e2e.crashing import KILLS, GatedInstallation, Kill, gated_installation, survive
from tests.e2e.pushes import FourPushes, author_without_hook


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatedInstallation]:
    with gated_installation(tmp_path_factory.mktemp("gated")) as gated:
        yield gated


@pytest.fixture(scope="module")
def quiet_author(gated: GatedInstallation, tmp_path_factory: pytest.TempPathFactory) -> Author:
    return author_without_hook(gated.installation, tmp_path_factory.mktemp("quiet"))


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
def test_a_worker_killed_around_the_create_ends_live_with_one_of_each(
    gated: GatedInstallation, tmp_path: Path, kill: Kill
) -> None:
    author = Author.of(gated.installation, kill.__name__.replace("_", "-"), tmp_path)

    survive(gated, author, kill)


@pytest.mark.parametrize("order", ["0123", "3210", "1302", "2031"])
def test_whatever_the_order_of_four_deliveries_the_head_is_served(
    quiet_author: Author, order: str
) -> None:
    pushes = FourPushes.made(quiet_author, Branch(f"order-{order}"))

    guids = [pushes.deliver(int(place)) for place in order]
    pushes.settled(guids)

    answer = quiet_author.installation.get(quiet_author.stable_url(pushes.branch))
    assert answer.headers["x-preview-sha"] == pushes.head
    assert f"1 on {pushes.branch}" in answer.body.decode()
