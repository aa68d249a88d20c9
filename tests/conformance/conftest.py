"""A live server behind recording proxies, and the clients that other people wrote."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.nameserver import Nameserver, nameserver
from tests.conformance.recording import Proxy, Record, recording
from tests.conformance.sdk import Sdk, environment, running
from tests.conformance.world import V1World, V2World
from tests.plugins.postgresql import Postgresql
from tests.subhosting.domains.world import TlsProxy
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
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsProxy]:
    """The TLS proxy in front of the shared server, which it asks for permission."""
    with TlsProxy(tmp_path_factory.mktemp("tls")) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def settings(
    zone: Nameserver, tls: TlsProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, object]]:
    """What every server here is told."""
    with package_registry() as registry:
        yield {
            "warm_up": 5,
            "npm_registry": registry,
            "jsr_registry": registry,
            "name_servers": ["127.0.0.1"],
            "name_server_port": zone.port,
            "tls_proxy": f"127.0.0.1:{tls.server_address[1]}",
            "provisioning_timeout": 10,
            "backup_dir": str(tmp_path_factory.mktemp("backups")),
            "analytics_every": 0.2,
        }


@pytest.fixture(scope="session")
def new_store(store: str, request: pytest.FixtureRequest) -> Callable[[], dict[str, object]]:
    """Make what a server is told about its store: nothing, or a database on PostgreSQL."""
    if store == "sqlite":
        return dict
    server: Postgresql = request.getfixturevalue("postgresql")
    return lambda: {"database_url": server.new_database()}


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory,
    settings: dict[str, object],
    new_store: Callable[[], dict[str, object]],
    tls: TlsProxy,
) -> Iterator[RunningSubhosting]:
    """One server for the whole run."""
    data_dir = tmp_path_factory.mktemp("conformance") / "data"
    with RunningSubhosting(data_dir, **settings, **new_store()) as running_server:
        tls.api_port = running_server.api_port
        yield running_server


@pytest.fixture
def fresh(
    tmp_path: Path,
    settings: dict[str, object],
    new_store: Callable[[], dict[str, object]],
    record: Record,
) -> Iterator[Callable[[str], Site]]:
    """Make a site with an organization in which nothing was done yet."""
    with ExitStack() as stack:

        def make(source: str) -> Site:
            server = stack.enter_context(
                RunningSubhosting(tmp_path / "data", **settings, **new_store())
            )
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
def v1(
    server: RunningSubhosting, sdk_v1: Sdk, record: Record, zone: Nameserver, tls: TlsProxy
) -> V1World:
    return V1World(server, sdk_v1, record, zone, tls)


@pytest.fixture
def v2(
    server: RunningSubhosting, sdk_v2: Sdk, record: Record, zone: Nameserver, tls: TlsProxy
) -> V2World:
    return V2World(server, sdk_v2, record, zone, tls)
