"""Builds that take longer, and bodies that travel compressed, on the real server by both APIs."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from bot.core.model.config import Recipe
from bot.core.model.preview import BuildPhase
from bot.ports.target import Building, Built
from tests.contract.target.conftest import ON_THE_REAL_SERVER, Bench
from tests.fakes.apps import App, hello
from tests.subhosting.domains.world import World

# Longer than one looks before one listens.
BUILD = "echo first && sleep 1 && echo second"


@pytest.fixture(params=list(ON_THE_REAL_SERVER))
def bench(request: pytest.FixtureRequest, world: World) -> Iterator[Bench]:
    with partial(ON_THE_REAL_SERVER[request.param], world)() as bench:
        yield bench


def test_a_long_build_is_told_as_it_goes(bench: Bench) -> None:
    app = hello()
    order = replace(app.order(), recipe=Recipe(entrypoint="main.ts", build=BUILD))
    made = bench.target.create(order, app.read).id

    *before, last = bench.target.follow(made)

    assert isinstance(last, Built)
    told = [each for each in before if isinstance(each, Building)]
    assert BuildPhase.BUILDING in [each.phase for each in told]
    lines = [line.message for each in told for line in each.log]
    assert [line for line in lines if line in {"first", "second"}] == ["first", "second"]


def test_a_compressed_body_is_understood(bench: Bench) -> None:
    app = App(files={**hello().files, "large.txt": b"all the same\n" * 500_000})
    bench.target._api.compresses = True  # type: ignore[attr-defined]
    bench.target.create(hello().order("d00000000001"), hello().read)

    made = bench.target.create(app.order("d00000000002"), app.read)

    assert made.transfer.bytes_sent < 100_000
    assert isinstance(bench.settled(made.id), Built)
