"""The targets under contract. A new one is one more bench in `BENCHES`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest

from bot.adapters.targets import deploy_v2
from bot.adapters.targets.deploy_v2 import DeployV2Target
from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.model.ids import AppSlug, TargetDeploymentId
from bot.kernel.clock import SystemClock
from bot.ports.target import AppLogLine, Building, Observation, Target, Unproven
from tests.fakes.deno.platform import TOKEN as DENO_TOKEN
from tests.fakes.deno.platform import serving_deno
from tests.fakes.subhosting.patience import PatientClock
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN
from tests.fakes.subhosting.server import FakeServer, serving
from tests.fakes.target import FakeTarget
from tests.subhosting.domains.world import World, running_world
from tests.subhosting.server import RunningSubhosting

LOOKS = 5


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A target, and what is particular about the one under test."""

    target: Target
    verifies: bool  # its answers prove the commit
    forget: Callable[[AppSlug], None]  # make the platform lose a project's blobs
    by_hash: bool = True  # files that the platform has do not travel again
    own_labels: bool = True  # we choose the hosts
    wait: Callable[[TargetDeploymentId], object] = lambda _: None  # for the end of a build
    # Do what the owner of a domain is told to do, by these records.
    publish: Callable[[str, Unproven], object]
    # Ask an app of `tests.fakes.apps.SAYS_ENV` for what it sees; it logs "visited".
    visit: Callable[[TargetDeploymentId, str], dict[str, str]]

    def settled(self, deployment: TargetDeploymentId) -> Observation:
        """Look until the build is decided."""
        self.wait(deployment)
        for _ in range(LOOKS):
            seen = self.target.observe(deployment)
            if not isinstance(seen, Building):
                return seen
        pytest.fail(f"{deployment} was not decided after {LOOKS} looks")


@contextmanager
def fake() -> Iterator[Bench]:
    target = FakeTarget()

    def visit(deployment: TargetDeploymentId, _: str) -> dict[str, str]:
        line = AppLogLine(at=target.clock.now(), level="info", message="visited")
        target.logs.setdefault(deployment, []).append(line)
        return target.deployments[deployment].order.environment.values()

    yield Bench(
        target=target,
        verifies=True,
        forget=target.lose_blobs,
        visit=visit,
        publish=lambda host, _: target.published.add(host),
    )


@contextmanager
def plain() -> Iterator[Bench]:
    with serving(extensions=False) as server:
        yield from bench_of(server, Dialect.PLAIN)


@contextmanager
def embedded() -> Iterator[Bench]:
    with serving(extensions=True) as server:
        yield from bench_of(server, Dialect.EMBEDDED)


def bench_of(server: FakeServer, dialect: Dialect) -> Iterator[Bench]:
    clock = PatientClock()
    clock.on_sleep = server.platform.settle
    target = SubhostingV1Target(platform_of(server, dialect), clock)

    def visit(deployment: TargetDeploymentId, _: str) -> dict[str, str]:
        found = server.platform.deployments[deployment]
        at = clock.now().isoformat()
        line = {"time": at, "level": "info", "message": "visited", "region": "local"}
        found.log.append(dict(line))
        return found.env_vars

    ours = dialect is Dialect.EMBEDDED
    yield Bench(
        target=target,
        verifies=ours,
        forget=lambda _: forget(server),
        visit=visit,
        publish=lambda host, _: server.platform.domains.published.add(host),
    )
    target.close()


@contextmanager
def deno() -> Iterator[Bench]:
    with serving_deno() as served:
        platform = deploy_v2.Platform(
            name="deploy-v2",
            api_url=served.api_url,
            token=DENO_TOKEN,
            previews_url=served.previews_url,
        )
        clock = PatientClock()
        target = DeployV2Target(platform, clock)

        def visit(deployment: TargetDeploymentId, _: str) -> dict[str, str]:
            at = clock.now().isoformat()
            line = {"timestamp": at, "level": "info", "message": "visited"}
            served.logs.append({**line, "revision_id": deployment})
            clock.move(timedelta(seconds=1))
            return served.revisions[deployment].environment()

        yield Bench(
            target=target,
            verifies=True,
            visit=visit,
            publish=lambda host, _: served.domains.published.add(host),
            forget=lambda _: served.apps.clear(),
            by_hash=False,
            own_labels=False,
        )
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
    "deno": deno,
}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("subhosting") / "data") as world:
        yield world


@pytest.fixture(scope="session")
def real_server(world: World) -> RunningSubhosting:
    return world.server


@contextmanager
def real(world: World) -> Iterator[Bench]:
    """The embedded server with real Deno; it starts once, and every test with no project."""
    server = world.server

    def forget(_: AppSlug) -> None:
        projects = f"/v1/organizations/{server.organization}/projects"
        for project in server.call("GET", projects).json:
            assert server.call("DELETE", f"/v1/projects/{project['id']}").status == 200

    forget(AppSlug(""))
    platform = Platform(
        name="subhosting",
        api_url=f"{server.api_url}/v1",
        token=server.token,
        organization=server.organization,
        previews_url=f"http://*.localhost:{server.previews_port}",
        dialect=Dialect.EMBEDDED,
    )
    target = SubhostingV1Target(platform, SystemClock())
    # A build log that is asked for as one document comes when the build is over.
    wait = target.build_log
    visit = partial(visited, server)
    publish = partial(published, world)
    yield Bench(
        target=target, verifies=True, forget=forget, wait=wait, visit=visit, publish=publish
    )
    target.close()


def published(world: World, _: str, unproven: Unproven) -> None:
    for record in unproven.records[0]:
        world.names.records[record.name, record.kind] = record.content


def visited(server: RunningSubhosting, _: TargetDeploymentId, url: str) -> dict[str, str]:
    seen: dict[str, str] = server.get(urlsplit(url).hostname or "").json
    return seen


@contextmanager
def real_v2(world: World) -> Iterator[Bench]:
    """The same server by its other API."""
    server = world.server
    with real(world) as v1:
        platform = deploy_v2.Platform(
            name="deploy-v2",
            api_url=f"{server.api_url}/v2",
            token=server.token,
            previews_url=f"http://*.localhost:{server.previews_port}",
        )
        target = DeployV2Target(platform, SystemClock())
        yield replace(v1, target=target, by_hash=False, own_labels=False)
        target.close()


ON_THE_REAL_SERVER = {"embedded-server": real, "embedded-server-v2": real_v2}


@pytest.fixture(params=[*BENCHES, *ON_THE_REAL_SERVER])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = BENCHES.get(request.param)
    if made is None:
        world = request.getfixturevalue("world")
        made = partial(ON_THE_REAL_SERVER[request.param], world)
    with made() as bench:
        yield bench
