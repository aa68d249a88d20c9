"""A database of its own, on the real server by both of its APIs."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import pytest

from bot.core.model.environment import Environment
from bot.core.model.ids import AppSlug, CommitSha, HostLabel, TargetDeploymentId
from bot.ports.target import Built, Earlier, Order
from tests.contract.target.conftest import ON_THE_REAL_SERVER, Bench
from tests.fakes.apps import App
from tests.subhosting.domains.world import World
from tests.subhosting.server import RunningSubhosting

COUNTS = App(
    files={
        "main.ts": b"""const kv = await Deno.openKv();
Deno.serve(async () => {
  const { value } = await kv.get<number>(["visits"]);
  await kv.set(["visits"], (value ?? 0) + 1);
  return new Response(String(value ?? 0));
});
"""
    }
)


@pytest.fixture(params=list(ON_THE_REAL_SERVER))
def bench(request: pytest.FixtureRequest, world: World) -> Iterator[Bench]:
    with partial(ON_THE_REAL_SERVER[request.param], world)() as bench:
        yield bench


def visits(bench: Bench, server: RunningSubhosting, key: str, branch: str, database: str) -> str:
    """Deploy the counter with a database, visit it on its stable host, and return its count."""
    made = bench.target.create(_order(key, branch, database), COUNTS.read).id
    return served(bench, server, made, branch)


def _order(key: str, branch: str, database: str) -> Order:
    return replace(
        COUNTS.order(key),
        branch_app=AppSlug(f"hello--{branch}"),
        environment=Environment(database=database),
    )


def served(bench: Bench, server: RunningSubhosting, made: TargetDeploymentId, branch: str) -> str:
    """Return what the deployment answers on the branch's stable host."""
    assert isinstance(bench.settled(made), Built)
    url = bench.target.bind(made, HostLabel(f"hello--{branch}"), CommitSha("a" * 40))
    assert url is not None
    return server.get(urlsplit(url).hostname or "").text


def test_what_is_promoted_has_the_new_database_and_not_the_old_one(
    bench: Bench, real_server: RunningSubhosting
) -> None:
    preview, production = f"{bench.target.name}-preview", f"{bench.target.name}-production"
    assert visits(bench, real_server, "d00000000011", "dev", preview) == "0"
    [earlier] = [bench.target.create(_order("d00000000011", "dev", preview), COUNTS.read).id]
    order = _order("d00000000012", "live", production)

    made = bench.target.redeploy(order, Earlier(deployment=earlier), COUNTS.read).id

    assert served(bench, real_server, made, "live") == "0"
    assert served(bench, real_server, made, "live") == "1"


def test_deployments_share_a_database_by_its_name(
    bench: Bench, real_server: RunningSubhosting
) -> None:
    visit = partial(visits, bench, real_server)
    mine, other = f"{bench.target.name}-mine", f"{bench.target.name}-other"

    assert visit("d00000000001", "main", mine) == "0"
    assert visit("d00000000002", "main", mine) == "1"
    assert visit("d00000000003", "feature", other) == "0"
    assert visit("d00000000004", "feature", mine) == "2"
