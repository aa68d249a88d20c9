"""The smuggling list once more, through a TLS proxy that shares its connections among visitors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from soak.caddy import caddy, connected
from tests.subhosting.edge.smuggling import ACCEPTED, APP, REFUSED, attempt, victim
from tests.subhosting.server import RunningSubhosting

# Where caddy, whose parser is Go's, answers a first request and reads what follows as the next one
# of the same visitor. Whoever sent it could have sent both one after the other, so nothing is
# smuggled. Measured with caddy 2.11.7.
SECOND_REQUESTS = {
    # One length is as good as two that agree; of length and chunks the chunks count.
    # https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    "length-and-chunked",
    "equal-lengths-twice",
    # What was folded is one field: https://www.rfc-editor.org/rfc/rfc9112#section-5.2
    "folded",
    "folded-encoding",
    # A line may end in a bare line feed: https://www.rfc-editor.org/rfc/rfc9112#section-2.2
    "bare-lf-head",
    "trailer-bare-lf",
    # Trailers frame nothing: https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1
    "trailer-that-frames",
    # Answered with 405; what follows would have been the tunnel's.
    "connect",
    # Answered with 502; Go reads on behind the broken chunk.
    "chunk-lf-after-data",
}
# What follows the first request is none to caddy either; it says so, if it comes to that.
REFUSED_REST = {
    "bare-lf-fields", "chunk-too-long", "long-trailer", "long-trailer-name", "many-trailers",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Front:
    """A server behind caddy, and an app on it."""

    server: RunningSubhosting
    port: int
    host: str

    def hidden(self) -> int:
        """Return how often the app was asked for what must not arrive."""
        seen: list[str] = self.server.get(self.host, "/seen").json
        return seen.count("/hidden")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder: Path = tmp_path_factory.mktemp("caddy")
    settings = {"previews_scheme": "https", "trusted_proxies": ("127.0.0.1",)}
    with RunningSubhosting(folder / "data", **settings) as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": APP})["domains"][0]
        with caddy(server, folder) as port:
            yield Front(server, port, host)


@pytest.mark.parametrize("name", [*REFUSED, *ACCEPTED])
def test_nobody_gets_an_answer_to_another_s_question(front: Front, name: str) -> None:
    before = front.hidden()
    with connected(front.port, front.host) as connection:
        made = attempt(connection, (REFUSED | ACCEPTED)[name], front.host)
    arrived = front.hidden() - before

    if name in SECOND_REQUESTS:
        assert len(made.statuses) == 2, made.received
        assert arrived == 1
    else:
        assert made.statuses[1:] in ([], *([[400], [431]] if name in REFUSED_REST else [])), made
        assert arrived == 0
    for _ in range(3):
        with connected(front.port, front.host) as connection:
            victim(connection, front.host)
