"""Our wire models beside documents from elsewhere and beside the two OpenAPI files.

Each document is valid by the file's own schema, and our model reads it and writes it back without
a change: so a mistake that our client and our server share shows here.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel, SecretStr, ValidationError

from bot.wire import (
    deploy_v2,
    deploy_v2_domains,
    deploy_v2_revisions,
    subhosting_v1,
    subhosting_v1_databases,
)

DATA = Path(__file__).parents[2] / "data"
OPENAPI = {
    version: yaml.safe_load((DATA / "conformance" / f"deno-{version}-openapi.yaml").read_text())
    for version in ("v1", "v2")
}
DOCUMENTS = {
    "v1": json.loads((DATA / "subhosting_v1" / "operations.json").read_text()),
    "v2": json.loads((DATA / "deploy_v2" / "documents.json").read_text()),
}
ROOMS = {
    "v1": [subhosting_v1, subhosting_v1_databases],
    "v2": [deploy_v2, deploy_v2_revisions, deploy_v2_domains],
}

# Where our model's name is not the schema's.
NAMES = {
    "Error": "ErrorBody",
    "AppLogsResponseEntry": "AppLogEntry",
    "KvDatabaseDescription": "KvDatabaseRequest",
    "EnableKvDatabaseBackupRequest": "EnableBackupRequest",
    "RuntimeLogsResponse": "RuntimeLogPage",
    "AnalyticsResponse": "Analytics",
}


def model(version: str, schema: str) -> type[BaseModel]:
    name = NAMES.get(schema, schema)
    found = (vars(room)[name] for room in ROOMS[version] if name in vars(room))
    chosen: type[BaseModel] = next(found)
    return chosen


def cases(side: str) -> list[Any]:
    return [
        pytest.param(version, schema, body, id=f"{version}-{schema}-{number}")
        for version, documents in DOCUMENTS.items()
        for schema, bodies in documents[side].items()
        for number, body in enumerate(bodies)
    ]


def assert_valid(version: str, schema: str, body: object) -> None:
    # Local references resolve against the root, so the components come along.
    document = OPENAPI[version]
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    errors = list(Draft202012Validator(whole).iter_errors(body))

    assert errors == []


@pytest.mark.parametrize(("version", "schema", "body"), cases("answers"))
def test_an_answer_is_written_as_it_was_read(version: str, schema: str, body: object) -> None:
    assert_valid(version, schema, body)

    read = model(version, schema).model_validate(body)

    assert json.loads(read.model_dump_json(by_alias=True)) == body


@pytest.mark.parametrize(("version", "schema", "body"), cases("requests"))
def test_every_field_of_a_request_is_read(version: str, schema: str, body: object) -> None:
    assert_valid(version, schema, body)

    read = model(version, schema).model_validate(body)

    assert dict(body_of(read)) == body


def body_of(read: BaseModel) -> dict[str, object]:
    """Return what was set, under the names it came with."""
    written = read.model_dump(mode="python", by_alias=True, exclude_unset=True)
    plain: dict[str, object] = json.loads(json.dumps(written, default=revealed))
    if isinstance(read, subhosting_v1.RedeployRequest) and read.prod:
        plain["env_vars"] = plain.pop("envVars")  # the deprecated name, read as the other
    return plain


def revealed(value: object) -> object:
    assert isinstance(value, SecretStr)
    return value.get_secret_value()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_request_schema_of_the_document_has_a_model(version: str) -> None:
    used = {
        body["schema"]["$ref"].rpartition("/")[2]
        for path in OPENAPI[version]["paths"].values()
        for operation in path.values()
        for body in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in body["schema"]
    }

    assert [schema for schema in used if model(version, schema) is None] == []


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        ("DeployInit", {"assets": {}, "production": "false"}, "production"),
        ("DeployInit", {"assets": {"a": {"kind": "dir"}}}, "assets"),
        ("DeployInit", {"assets": {"a": {"kind": "file"}}}, "assets"),
        ("AppInit", {"slug": "ab--c"}, "slug"),
        ("AppInit", {"slug": "-ab"}, "slug"),
        ("AppInit", {"slug": "abc\n"}, "slug"),
        ("AppInit", {"labels": {str(number): "x" for number in range(6)}}, "labels"),
        ("AppInit", {"env_vars": [{"key": "", "value": "x"}]}, "env_vars"),
        ("AppInit", {"config": {"runtime": {"type": "dynamic"}}}, "config"),
        ("AppInit", {"config": {"runtime": {"type": "static"}}}, "config"),
        (
            "AppInit",
            {"config": {"framework": "fresh", "runtime": {"type": "static", "cwd": "."}}},
            "config",
        ),
        ("AppUpdate", {"env_vars": [{"value": "x"}]}, "env_vars"),
        ("LayerInit", {"slug": "has_underscore"}, "slug"),
        ("DomainInit", {"domain": "*.example.com"}, "domain"),
        ("DatabaseInstanceInit", {"slug": "a", "connection": {"engine": "oracle"}}, "connection"),
    ],
)
def test_a_refusal_names_the_field(schema: str, body: object, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model("v2", schema).model_validate(body)

    assert {error["loc"][0] for error in refused.value.errors()} == {field}


@pytest.mark.parametrize(
    "body",
    [
        {"code": "A", "message": "b"},
        {"error": {"code": "A", "message": "b"}},
        {"code": "A", "message": "b", "error": {"code": "OTHER", "message": "other"}},
    ],
)
def test_either_form_of_an_error_is_understood(body: object) -> None:
    assert deploy_v2.ErrorBody.model_validate(body) == deploy_v2.ErrorBody.of("A", "b")


def test_a_status_not_published_yet_is_kept_as_text() -> None:
    known = DOCUMENTS["v2"]["answers"]["Revision"][0]

    revision = deploy_v2_revisions.Revision.model_validate({**known, "status": "routed"})

    assert revision.status == "routed"


@pytest.mark.parametrize("status", ["running", "succeeded", "errored"])
def test_a_stage_that_began_says_when(status: str) -> None:
    with pytest.raises(ValidationError, match="has a start"):
        deploy_v2_revisions.ProgressStage.model_validate({"status": status})
