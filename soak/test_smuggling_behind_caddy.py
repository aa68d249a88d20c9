"""The smuggling list once more, through a TLS proxy that shares its connections among visitors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from soak.caddy import caddy, connected
from tests.subhosting.edge.smuggling import ACCEPTED, APP, REFUSED, attempt, victim
from tests.subhosting.server import RunningSubhosting


@pytest.fixture(scope="module")
def front(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[int, str]]:
    folder: Path = tmp_path_factory.mktemp("caddy")
    settings = {"previews_scheme": "https", "trusted_proxies": ("127.0.0.1",)}
    with RunningSubhosting(folder / "data", **settings) as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": APP})["domains"][0]
        with caddy(server, folder) as port:
            yield port, host


@pytest.mark.parametrize(
    "request_", [*REFUSED.values(), *ACCEPTED.values()], ids=[*REFUSED, *ACCEPTED]
)
def test_nobody_gets_an_answer_to_another_s_question(
    front: tuple[int, str], request_: bytes
) -> None:
    port, host = front
    with connected(port, host) as connection:
        attempt(connection, request_, host)

    for _ in range(3):
        with connected(port, host) as connection:
            victim(connection, host)
