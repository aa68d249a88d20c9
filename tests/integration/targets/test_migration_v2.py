"""The far end of a move from v1 to v2, over the fake Deno Deploy."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.targets.http import KEEPALIVE_OURS, Api
from bot.adapters.targets.migration_v2 import NewV2
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.migration import NewApp, OldSource, ProjectId
from tests.fakes.apps import hello
from tests.fakes.deno.platform import TOKEN, FakeDeno, serving_deno
from tests.fakes.subhosting.patience import PatientClock

OLD = TargetDeploymentId("olddeploy001")


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
        yield Bench(deno, new, new.make_app(ProjectId("old"), "shop", {}))
        api.close()


def test_a_revision_carries_its_own_config(bench: Bench) -> None:
    made = bench.deploy()

    config = bench.deno.revisions[made].init.config
    assert config is not None
    assert config.model_dump(exclude_none=True, mode="json") == {
        "install": "deno install",
        "runtime": {"type": "dynamic", "entrypoint": "main.ts"},
    }
