"""The v2 adapter over the fake Deno Deploy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.adapters.targets.deploy_v2 import DeployV2Target, Platform
from bot.core.model.ids import TargetDeploymentId
from bot.ports.target import Broken, Built
from tests.fakes.apps import App
from tests.fakes.deno.platform import TOKEN, FakeDeno, serving_deno
from tests.fakes.subhosting.patience import PatientClock
from tests.fakes.subhosting.server import Answer, Request

Fault = Callable[[Request], Answer | None]


@dataclass
class DenoBench:
    deno: FakeDeno
    clock: PatientClock
    target: DeployV2Target

    def deployed(self, app: App, key: str = "d00000000001") -> TargetDeploymentId:
        made = self.target.create(app.order(key), app.read).id
        while not isinstance(self.target.observe(made), Built | Broken):
            pass
        return made

    def asked(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.deno.requests]

    def disturb(self, path_ending: str, fault: Fault) -> None:
        """Let the next request to such a path meet `fault`, and others none."""

        def watch(request: Request) -> Answer | None:
            if request.path.endswith(path_ending):
                return fault(request)
            self.deno.faults.append(watch)
            return None

        self.deno.faults.append(watch)

    def restarted(self) -> DeployV2Target:
        """Return the client of a process that remembers nothing; the caller closes it."""
        return DeployV2Target(platform_of(self.deno), self.clock)


def platform_of(deno: FakeDeno) -> Platform:
    return Platform(
        name="deploy-v2",
        api_url=deno.api_url,
        token=TOKEN,
        previews_url=deno.previews_url,
    )


@contextmanager
def deno_bench() -> Iterator[DenoBench]:
    with serving_deno() as deno:
        clock = PatientClock()
        target = DeployV2Target(platform_of(deno), clock)
        yield DenoBench(deno, clock, target)
        target.close()
