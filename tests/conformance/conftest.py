"""A live server behind recording proxies, and the clients that other people wrote."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.subhosting.config import SubhostingConfig
from tests.conformance.nameserver import Nameserver, nameserver
from tests.conformance.recording import Proxy, Record, recording
from tests.conformance.sdk import Sdk, environment, running
from tests.conformance.world import V1World, V2World
from tests.subhosting.package_registry import package_registry
from tests.subhosting.server import RunningSubhosting

# Where `scripts/conformance-table` finds what was seen; without it nothing is written.
RESULTS = "PREVIEWBOT_CONFORMANCE_RESULTS"


@dataclass(frozen=True)
class Site:
    """A server and the proxy through which a client sees it."""

    server: RunningSubhosting
    proxy: Proxy


@pytest.fixture(scope="session")
def record() -> Iterator[Record]:
    found = Record()
    yield found
    if RESULTS in os.environ:
        found.write(Path(os.environ[RESULTS]))


@pytest.fixture(scope="session")
def zone() -> Iterator[Nameserver]:
    """The DNS that our server asks."""
    with nameserver() as running_zone:
        yield running_zone


@pytest.fixture(scope="session")
def settings(zone: Nameserver) -> Iterator[dict[str, object]]:
    """What every server here is told."""
    known = SubhostingConfig.__dataclass_fields__
    # By these names the server is asked to offer them; until then it starts without.
    hoped = {"name_servers": ["127.0.0.1"], "name_server_port": zone.port}
    with package_registry() as registry:
        packages = {"npm_registry": registry, "jsr_registry": registry}
        offered = {name: value for name, value in hoped.items() if name in known}
        yield {"warm_up": 5, **packages, **offered}


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, object]
) -> Iterator[RunningSubhosting]:
    """One server for the whole run."""
    data_dir = tmp_path_factory.mktemp("conformance") / "data"
    with RunningSubhosting(data_dir, **settings) as running_server:
        yield running_server


@pytest.fixture
def fresh(
    tmp_path: Path, settings: dict[str, object], record: Record
) -> Iterator[Callable[[str], Site]]:
    """Make a site with an organization in which nothing was done yet."""
    with ExitStack() as stack:

        def make(source: str) -> Site:
            server = stack.enter_context(RunningSubhosting(tmp_path / "data", **settings))
            proxy = stack.enter_context(recording(source, server.api_port, record))
            return Site(server, proxy)

        yield make


@pytest.fixture(scope="session")
def through(server: RunningSubhosting, record: Record) -> Iterator[Callable[[str], Proxy]]:
    """Make a proxy to the shared server that records under the name it is given."""
    with ExitStack() as stack:
        made: dict[str, Proxy] = {}

        def make(source: str) -> Proxy:
            if source not in made:
                made[source] = stack.enter_context(recording(source, server.api_port, record))
            return made[source]

        yield make


@pytest.fixture(scope="session")
def sdk_v1(server: RunningSubhosting, through: Callable[[str], Proxy]) -> Iterator[Sdk]:
    """PyPI `subhosting` 0.1.0a2; it wants httpx<0.28, hence an environment of its own."""
    url = f"{through('subhosting 0.1.0a2').url}/v1"
    with running(environment("v1"), "v1.py", url, server.token) as sdk:
        yield sdk


@pytest.fixture(scope="session")
def sdk_v2(server: RunningSubhosting, through: Callable[[str], Proxy]) -> Iterator[Sdk]:
    """PyPI `deno-sandbox` 0.16.0."""
    url = through("deno-sandbox 0.16.0").url
    variables = {"DENO_DEPLOY_ENDPOINT": url, "DENO_DEPLOY_TOKEN": server.token}
    with running(Path(sys.executable), "v2.py", **variables) as sdk:
        yield sdk


@pytest.fixture
def v1(server: RunningSubhosting, sdk_v1: Sdk, record: Record, zone: Nameserver) -> V1World:
    return V1World(server, sdk_v1, record, zone)


@pytest.fixture
def v2(server: RunningSubhosting, sdk_v2: Sdk, record: Record, zone: Nameserver) -> V2World:
    return V2World(server, sdk_v2, record, zone)
