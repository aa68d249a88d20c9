"""The targets under contract. A new one is one more bench in `BENCHES`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.model.ids import AppSlug, TargetDeploymentId
from bot.ports.target import Building, Observation, Target
from tests.fakes.subhosting.patience import PatientClock
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN
from tests.fakes.subhosting.server import FakeServer, serving
from tests.fakes.target import FakeTarget

LOOKS = 400


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A target, and what is particular about the one under test."""

    target: Target
    verifies: bool  # its answers prove the commit
    forget: Callable[[AppSlug], None]  # make the platform lose a project's blobs
    pause: Callable[[], None] = lambda: None  # between two looks at a build

    def settled(self, deployment: TargetDeploymentId) -> Observation:
        """Look until the build is decided."""
        for _ in range(LOOKS):
            seen = self.target.observe(deployment)
            if not isinstance(seen, Building):
                return seen
            self.pause()
        pytest.fail(f"{deployment} was not decided after {LOOKS} looks")


@contextmanager
def fake() -> Iterator[Bench]:
    target = FakeTarget()
    yield Bench(target=target, verifies=True, forget=target.lose_blobs)


@contextmanager
def plain() -> Iterator[Bench]:
    with serving(extensions=False) as server:
        target = SubhostingV1Target(platform_of(server, Dialect.PLAIN), PatientClock())
        yield Bench(target=target, verifies=False, forget=lambda _: forget(server))
        target.close()


@contextmanager
def embedded() -> Iterator[Bench]:
    with serving(extensions=True) as server:
        target = SubhostingV1Target(platform_of(server, Dialect.EMBEDDED), PatientClock())
        yield Bench(target=target, verifies=True, forget=lambda _: forget(server))
        target.close()


def platform_of(server: FakeServer, dialect: Dialect) -> Platform:
    return Platform(
        name="subhosting",
        api_url=server.api_url,
        token=TOKEN,
        organization=ORGANIZATION,
        previews_url=server.previews_url,
        dialect=dialect,
    )


def forget(server: FakeServer) -> None:
    for project in server.platform.projects.values():
        project.blobs.clear()


BENCHES: dict[str, Callable[[], AbstractContextManager[Bench]]] = {
    "fake": fake,
    "embedded-dialect": embedded,
    "plain-dialect": plain,
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with BENCHES[request.param]() as made:
        yield made
