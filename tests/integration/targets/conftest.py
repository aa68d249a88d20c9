"""The adapter in both dialects over the fake server."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from tests.fakes.subhosting.patience import PatientClock
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN
from tests.fakes.subhosting.server import FakeServer, Request, serving
from tests.integration.targets.deno_bench import DenoBench, deno_bench


@dataclass
class Bench:
    server: FakeServer
    clock: PatientClock
    target: SubhostingV1Target
    platform: Platform

    def creates(self) -> list[Request]:
        made = [r for r in self.server.requests if r.path.endswith("/deployments")]
        return [request for request in made if request.method == "POST"]


def bench_of(server: FakeServer, dialect: Dialect) -> Bench:
    platform = Platform(
        name="subhosting",
        api_url=server.api_url,
        token=TOKEN,
        organization=ORGANIZATION,
        previews_url=server.previews_url,
        dialect=dialect,
    )
    clock = PatientClock()
    return Bench(server, clock, SubhostingV1Target(platform, clock), platform)


@pytest.fixture
def embedded() -> Iterator[Bench]:
    with serving(extensions=True) as server:
        bench = bench_of(server, Dialect.EMBEDDED)
        yield bench
        bench.target.close()


@pytest.fixture
def plain() -> Iterator[Bench]:
    with serving(extensions=False) as server:
        bench = bench_of(server, Dialect.PLAIN)
        yield bench
        bench.target.close()


@pytest.fixture
def bench() -> Iterator[DenoBench]:
    with deno_bench() as made:
        yield made
