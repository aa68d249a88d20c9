"""The far end of a move from v1 to v2, over the fake Deno Deploy."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.targets.http import KEEPALIVE_OURS, Api
from bot.adapters.targets.migration_v2 import NewV2
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.migration import (
    AppToMake,
    NewApp,
    OldDeployment,
    OldProject,
    OldSource,
    ProjectId,
)
from bot.kernel.clock import SystemClock
from tests.fakes.apps import hello
from tests.fakes.deno.platform import TOKEN, FakeDeno, serving_deno
from tests.fakes.subhosting.patience import PatientClock

OLD = TargetDeploymentId("olddeploy001")


def wanted(slug: str = "shop", *hosts: str) -> AppToMake:
    made = OldDeployment(id=OLD, domains=hosts, created_at=SystemClock().now())
    project = OldProject(id=ProjectId("old"), name="shop")
    return AppToMake(project=project, deployment=made, slug=slug, hosts=hosts)


@dataclass
class Bench:
    deno: FakeDeno
    new: NewV2
    app: NewApp

    def deploy(self, deployment: str = OLD) -> TargetDeploymentId:
        files = hello()
        source = OldSource(
            entrypoint="main.ts", manifest=files.manifest, env={}, config=None, not_in_v2=()
        )
        return self.new.deploy(self.app, TargetDeploymentId(deployment), source, files.read)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with serving_deno() as deno:
        api = Api("deno", deno.api_url, TOKEN, keepalive=KEEPALIVE_OURS, clock=PatientClock())
        new = NewV2(api)
        yield Bench(deno, new, new.make_app(wanted(), {}))
        api.close()


def test_an_app_is_found_by_any_host_it_was_made_for_or_by_having_none(bench: Bench) -> None:
    for number in range(120):
        bench.new.make_app(wanted(f"shop-{number}", f"{number}.example", f"{number}.other"), {})
    new = bench.new

    assert new.app_of(wanted()) == bench.app
    for host in ("0.example", "0.other", "119.other"):
        found = new.app_of(wanted("anything", host, "later.example"))
        assert found is not None
        assert found.slug == f"shop-{host.partition('.')[0]}"
    assert new.app_of(wanted("anything", "later.example")) is None


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_a_revision_that_came_to_nothing_does_not_count_as_made(bench: Bench, status: str) -> None:
    bench.deno.revisions[bench.deploy()].status = status

    assert bench.new.revision_of(bench.app, OLD) is None

    second = bench.deploy()
    assert bench.new.revision_of(bench.app, OLD) == second


@pytest.mark.parametrize("oldest_first", [True, False])
def test_a_revision_is_found_on_whatever_page_it_stands(
    bench: Bench,
    oldest_first: bool,  # noqa: FBT001
) -> None:
    bench.deno.oldest_first = oldest_first
    first = bench.deploy("first")
    for number in range(120):
        bench.deploy(f"between{number}")
    last = bench.deploy("last")

    assert bench.new.revision_of(bench.app, TargetDeploymentId("first")) == first
    assert bench.new.revision_of(bench.app, TargetDeploymentId("last")) == last


def test_of_several_revisions_of_a_deployment_the_newest_counts(bench: Bench) -> None:
    bench.deno.oldest_first = True
    bench.deploy()
    newer = bench.deploy()

    assert bench.new.revision_of(bench.app, OLD) == newer


def test_a_revision_carries_its_own_config(bench: Bench) -> None:
    made = bench.deploy()

    config = bench.deno.revisions[made].init.config
    assert config is not None
    assert config.model_dump(exclude_none=True, mode="json") == {
        "install": "deno install",
        "runtime": {"type": "dynamic", "entrypoint": "main.ts"},
    }
