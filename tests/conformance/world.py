"""What the operations of an SDK act on: made by the same SDK, as its users would."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from bot.kernel.ids import RandomIds
from tests.conformance.nameserver import Nameserver
from tests.conformance.recording import Record
from tests.conformance.sdk import Sdk
from tests.subhosting.domains.world import TlsProxy
from tests.subhosting.server import Json, RunningSubhosting, wait_until

HELLO = "console.log('I have started'); Deno.serve(() => new Response('hello'));"
SHOWS_ENV = "Deno.serve(() => new Response(JSON.stringify(Deno.env.toObject())));"
BROKEN = "throw new Error('no');"


class World:
    """A server, an SDK, and what the SDK was answered since this test began."""

    def __init__(
        self,
        server: RunningSubhosting,
        sdk: Sdk,
        record: Record,
        zone: Nameserver,
        tls: TlsProxy,
    ) -> None:
        self.server, self.sdk, self.zone, self.tls = server, sdk, zone, tls
        self.organization = server.organization
        # Any arguments: the SDKs are untyped here, and mypy would take `take` for one of `fields`.
        self.call: Callable[..., Any] = sdk.call
        self._record, self._start = record, len(record.since(0))

    def broken_promises(self) -> list[str]:
        """Return every answer of this test that breaks the OpenAPI document."""
        return [
            f"{each.target}: {text}"
            for each in self._record.since(self._start)
            for text in each.violations
        ]

    def unique(self, word: str) -> str:
        return f"{word}-{RandomIds().new()[:8]}"

    def text_at(self, host: str) -> str:
        """Return what a deployed app answers on `host`."""
        answer = self.server.get(host.partition(":")[0])
        assert answer.status == 200, answer
        return answer.text

    def now(self, **after: float) -> str:
        moment = dt.datetime.now(dt.UTC) + dt.timedelta(**after)
        return moment.isoformat().replace("+00:00", "Z")

    def eventually(self, look: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON is anything
        """Return what `look` finds, as soon as it finds something."""
        found: list[Any] = []

        def has_found() -> bool:
            found[:] = [look()]
            return bool(found[0])

        wait_until(has_found, "the server to have it")
        return found[0]


class V1World(World):
    """Projects and deployments."""

    def project(self, **fields: object) -> Json:
        made: Json = self.call("organizations.projects.create", self.organization, **fields)
        return made

    def created(self, project: str, source: str = HELLO, **fields: object) -> Json:
        body: dict[str, Any] = {
            "assets": {"main.ts": {"kind": "file", "content": source, "encoding": "utf-8"}},
            "entry_point_url": "main.ts",
            "env_vars": {},
            **fields,
        }
        made: Json = self.call("projects.deployments.create", project, **body)
        return made

    def deployed(self, project: str, source: str = HELLO, **fields: object) -> Json:
        made = self.created(project, source, **fields)
        return self.built(made["id"])

    def built(self, deployment: str) -> Json:
        # As users do: the array of the build log is complete once the build has ended.
        self.call("deployments.build_logs.get", deployment)
        done: Json = self.call("deployments.get", deployment)
        return done

    def database(self) -> Json:
        made: Json = self.call("organizations.databases.create", self.organization)
        return made

    def domain(self) -> Json:
        name = f"{self.unique('site')}.example.com"
        made: Json = self.call("organizations.domains.create", self.organization, domain=name)
        return made

    def verified_domain(self) -> Json:
        """Return a domain whose owner published what he was told to publish."""
        domain = self.domain()
        for each in domain["dnsRecords"]:
            self.zone.publish(
                absolute(each["name"], domain["domain"]), each["type"], each["content"]
            )
        self.call("domains.verify", domain["id"])
        verified: Json = self.call("domains.get", domain["id"])
        assert verified["isValidated"] is True
        return verified


class V2World(World):
    """Apps, revisions and layers."""

    def app(self, **fields: object) -> Json:
        made: Json = self.call("apps.create", **{"slug": self.unique("app"), **fields})
        return made

    def queued(self, app: str, source: str = HELLO, **fields: object) -> Json:
        assets = {"main.ts": {"kind": "file", "content": source, "encoding": "utf-8"}}
        runtime = {"type": "dynamic", "entrypoint": "main.ts"}
        given: dict[str, Any] = {"config": {"install": None, "runtime": runtime}, **fields}
        made: Json = self.call("revisions.deploy", app, assets, **given)
        return made

    def deployed(self, app: str, source: str = HELLO, **fields: object) -> Json:
        made = self.queued(app, source, **fields)
        return self.built(made["id"])

    def built(self, revision: str) -> Json:
        # As users do: the stream of the progress ends with the build.
        self.call("revisions.progress", revision)
        done: Json = self.call("revisions.get", revision)
        return done

    def layer(self, **fields: object) -> Json:
        made: Json = self.call("layers.create", self.unique("layer"), **fields)
        return made

    def hosts(self, revision: str) -> list[str]:
        """Return where a revision answers; upstream too says so only after a moment."""
        found: list[str] = self.eventually(
            lambda: [
                host
                for timeline in self.call("revisions.get", revision)["timelines"]
                for host in timeline["hostnames"]
            ]
        )
        return found


def absolute(name: str, domain: str) -> str:
    """Return the whole name of a DNS record; v1's samples leave the registrable part out."""
    if name in {"@", domain} or name.endswith(f".{domain}"):
        return domain if name == "@" else name
    base = domain.split(".", 1)[1]
    return name if name.endswith(base) else f"{name}.{base}"
