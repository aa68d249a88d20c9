"""schemathesis with the two OpenAPI documents: no 5xx, and no answer that breaks its schema.

`PREVIEWBOT_CONFORMANCE_EXAMPLES` says how many requests an operation gets at most, of each of
three kinds: right with ids that exist, right with ids that do not, and wrong. `make conformance`
asks for more than `make test`, and `make soak` for many.
"""

import os
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from bot.kernel.ids import RandomIds
from bot.subhosting.service.backups import LOCAL_ENDPOINT
from tests.conformance.contract import FILES, UNREACHED, Operation, operations
from tests.conformance.recording import Proxy, Record
from tests.subhosting.server import Json, RunningSubhosting

EXAMPLES = int(os.environ.get("PREVIEWBOT_CONFORMANCE_EXAMPLES", "2"))
SCHEMAS = {version: schemathesis.openapi.from_path(file) for version, file in FILES.items()}
SOURCE = "schemathesis"

# Not among the checks: `status_code_conformance`, because v1's document lists no 403, 409, 413 or
# 429 and our limits need them; `positive_data_acceptance`, because a document cannot say that a
# domain must be verified or a slug be free; `negative_data_rejection`, because the upstream
# document marks `since` and `until` required while its text gives them defaults.
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]


def made(server: RunningSubhosting, path: str, body: Json) -> str:
    """Return the id of a new thing."""
    answer = server.call("POST", path, body)
    assert answer.status < 300, answer
    return str(answer.json["id"])


class World:
    """What path parameters may name; made when asked for, as a deployment takes a moment."""

    def __init__(self, server: RunningSubhosting) -> None:
        self.server = server
        self.word = RandomIds().new()[:8]

    def parameters(self, operation: Operation) -> dict[str, str]:
        """Return what is in the operation's path; new each time, as some operations delete."""
        makers: dict[str, Callable[[], str]] = {
            "organizationId": lambda: self.server.organization,
            "projectId": lambda: self.project,
            "app": lambda: self.project,
            "deploymentId": lambda: str(self.deployment["id"]),
            "revision": lambda: str(self.deployment["id"]),
            "hostname": lambda: self.hostname,
            # The one name that means a host in v1 and a registered domain in v2.
            "domain": lambda: self.hostname if operation.version == "v1" else self.domain,
            "domainId": lambda: self.domain,
            "databaseId": lambda: self.database,
            "databaseBackupId": lambda: self.backup,
            "layer": lambda: made(self.server, "/v2/layers", {"slug": f"layer-{self.word}"}),
        }
        return {name: make() for name, make in makers.items() if f"{{{name}}}" in operation.path}

    @cached_property
    def project(self) -> str:
        return str(self.server.new_project(f"app-{self.word}")["id"])

    @cached_property
    def deployment(self) -> Json:
        return self.server.deployed(
            self.project, {"main.ts": "Deno.serve(() => new Response('x'));"}
        )

    @property
    def hostname(self) -> str:
        return str(self.deployment["domains"][0]).partition(":")[0]

    @cached_property
    def domain(self) -> str:
        path = f"/v1/organizations/{self.server.organization}/domains"
        return made(self.server, path, {"domain": f"{self.word}.example.com"})

    @cached_property
    def database(self) -> str:
        return made(self.server, f"/v1/organizations/{self.server.organization}/databases", {})

    @cached_property
    def backup(self) -> str:
        # Into the operator's own folder, which every server here has.
        bucket = {"endpoint": LOCAL_ENDPOINT, "bucketName": "copies", "bucketRegion": "r"}
        keys = {"kind": "s3", "accessKeyId": "a", "secretAccessKey": "s"}
        path = f"/v1/databases/{self.database}/database_backups"
        return made(self.server, path, {**bucket, **keys})


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.key)
def test_operation(
    operation: Operation,
    server: RunningSubhosting,
    through: Callable[[str], Proxy],
    record: Record,
) -> None:
    proxy = through(SOURCE)
    known = World(server).parameters(operation)
    described = SCHEMAS[operation.version][operation.path][operation.method]
    start = len(record.since(0))
    kinds = [
        described.as_strategy(path_parameters=known),
        described.as_strategy(),
        described.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    ]

    for kind in kinds:

        @seed(1)
        @given(case=kind)
        @hypothesis_settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Case[Any]) -> None:
            if isinstance(case.query, dict):
                case.query.pop("stream", None)  # a live stream has no end to wait for
            answer = case.call(
                base_url=f"{proxy.url}/{operation.version}",
                headers={"Authorization": f"Bearer {server.token}"},
                timeout=60,
            )
            case.validate_response(answer, checks=CHECKS)

        ask()

    seen = [each for each in record.since(start) if each.operation == operation]
    assert [text for each in seen for text in each.violations] == []
    assert {each.status for each in seen} - UNREACHED, "no request reached the operation"
