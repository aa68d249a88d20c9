"""Our answers beside documents from elsewhere: the same keys, the same shapes of values.

`bot.wire.subhosting_v1` serves our client and our server alike: only here would its mistakes show.
"""

import json
import re
from pathlib import Path

import pytest

from tests.subhosting.server import Json, RunningSubhosting

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "data" / "subhosting_v1" / "documents.json").read_text()
)

SHAPES = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "id": r"[0-9a-z]{12}",
}


def shape(value: object) -> object:
    """Return what stays the same whatever the value is."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    if isinstance(value, str):
        names = (name for name, form in SHAPES.items() if re.fullmatch(form, value))
        return next(names, "text")
    return type(value).__name__


def assert_shaped_as(name: str, answer: object) -> None:
    assert shape(answer) == shape(GOLDEN["answers"][name])


@pytest.mark.parametrize("body", GOLDEN["requests"]["CreateProjectRequest"])
def test_projects(server: RunningSubhosting, body: Json) -> None:
    path = f"/v1/organizations/{server.organization}"
    made = server.call("POST", f"{path}/projects", body)

    assert_shaped_as("Organization", server.call("GET", path).json)
    assert_shaped_as("Project", made.json)
    assert_shaped_as("Project", server.call("GET", f"/v1/projects/{made.json['id']}").json)


@pytest.mark.parametrize("body", GOLDEN["requests"]["CreateDeploymentRequest"])
def test_deployments(server: RunningSubhosting, project: Json, body: Json) -> None:
    made = server.call("POST", f"/v1/projects/{project['id']}/deployments", body)

    assert made.status == 200, made
    assert_shaped_as("DeploymentPending", made.json)
    for line in server.build_log(made.json["id"]):
        assert_shaped_as("BuildLogsResponseEntry", line)
    if "description" in body:
        path = f"/v1/deployments/{made.json['id']}"
        assert_shaped_as("DeploymentSuccess", server.call("GET", path).json)
        domain = f"{path}/domains/golden.localhost"
        assert_shaped_as("AttachedDomain", server.call("PUT", domain).json)


@pytest.mark.parametrize(
    "path", ["/v1/projects/x", "/v1/deployments/x", "/v1/organizations/x", "/v1/x"]
)
def test_errors(server: RunningSubhosting, path: str) -> None:
    answer = server.call("GET", path).json

    # Deno's ErrorBody is not a closed schema: `error` is for those who read the message there.
    assert answer.pop("error") == answer["message"]
    assert_shaped_as("ErrorBody", answer)
