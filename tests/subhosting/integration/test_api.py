"""Tokens, projects, pages, negotiation: the API around deployments."""

import re
import secrets

import pytest

from tests.subhosting.integration.test_create import HELLO, git_sha1
from tests.subhosting.server import Json, RunningSubhosting, request


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer ddo_wrong", "Basic eDp5", "ddo_x"]
)
@pytest.mark.parametrize("path", ["/v1/projects/x", "/api/v1/projects/x", "/api/x", "/nothing"])
def test_without_a_known_token_everything_is_401(
    server: RunningSubhosting, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = request(server.api_port, "GET", path, headers=headers)

    assert (answer.status, answer.json["code"]) == (401, "invalidToken")


def test_health_needs_no_token(server: RunningSubhosting) -> None:
    assert request(server.api_port, "GET", "/healthz", headers={}).status == 200


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
def test_the_organization_is_the_token_s(server: RunningSubhosting, prefix: str) -> None:
    found = server.call("GET", f"{prefix}/organizations/{server.organization}")
    other = server.call("GET", f"{prefix}/organizations/{'0' * 8}-0000-4000-8000-{'0' * 12}")

    assert found.json["id"] == server.organization
    assert (other.status, other.json["code"]) == (404, "organizationNotFound")


def test_a_project_is_made_changed_and_deleted(server: RunningSubhosting) -> None:
    name = f"p-{secrets.token_hex(4)}"
    made = server.new_project(name)
    path = f"/v1/projects/{made['id']}"

    taken = server.call(
        "POST", f"/v1/organizations/{server.organization}/projects", {"name": name}
    )
    changed = server.call("PATCH", path, {"description": "new", "name": None})
    host = server.deployed(made["id"], {"main.ts": HELLO})["domains"][0]
    deleted = server.call("DELETE", path)

    assert (taken.status, taken.json["code"]) == (400, "projectNameTaken")
    assert (changed.json["name"], changed.json["description"]) == (name, "new")
    assert (deleted.status, deleted.body) == (200, b"")
    assert server.call("GET", path).json["code"] == "projectNotFound"
    assert server.get(host).status == 404


def test_a_project_without_a_name_gets_one(server: RunningSubhosting) -> None:
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d+", server.new_project()["name"])


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a_b", "x" * 51, "\u00e4"])
def test_a_project_name_must_fit_into_a_host_name(server: RunningSubhosting, name: str) -> None:
    path = f"/v1/organizations/{server.organization}/projects"
    answer = server.call("POST", path, {"name": name})

    assert (answer.status, answer.json["code"]) == (400, "invalidProjectName")
    assert answer.json["message"].startswith("name: ")


def test_pages_are_linked_with_absolute_addresses(server: RunningSubhosting) -> None:
    mark = secrets.token_hex(4)
    names = [f"{mark}-{number}" for number in range(5)]
    for name in names:
        server.new_project(name)
    path = f"/v1/organizations/{server.organization}/projects"

    answer = server.call("GET", f"{path}?q={mark}&limit=2&page=2&sort=name&order=desc")

    assert [each["name"] for each in answer.json] == [names[2], names[1]]
    links = {
        rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["link"])
    }
    base = f"{server.api_url}{path}?q={mark}&limit=2&sort=name&order=desc&page="
    assert links == {
        "first": f"{base}1",
        "last": f"{base}3",
        "next": f"{base}3",
        "prev": f"{base}1",
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [("page=0", "page"), ("limit=101", "limit"), ("limit=x", "limit"), ("page=9e9", "page"),
     ("sort=size", "sort"), ("order=up", "order"), ("page=99999999999999999999", "page")],
)  # fmt: skip
def test_wrong_list_parameters_are_refused_by_name(
    server: RunningSubhosting, query: str, field: str
) -> None:
    answer = server.call("GET", f"/v1/organizations/{server.organization}/projects?{query}")

    assert answer.status == 400
    assert answer.json["message"].startswith(f"{field}: ")


def test_deployments_are_listed_and_found(server: RunningSubhosting, project: Json) -> None:
    made = [server.deploy(project["id"], {"main.ts": HELLO}).json["id"] for _ in range(3)]
    path = f"/v1/projects/{project['id']}/deployments"

    listed = server.call("GET", f"{path}?order=desc").json
    found = server.call("GET", f"{path}?q={made[1]}").json

    assert [each["id"] for each in listed] == made[::-1]
    assert [each["id"] for each in found] == [made[1]]


def test_negotiation_names_each_lacking_hash_once(
    server: RunningSubhosting, project: Json
) -> None:
    server.deploy(project["id"], {"main.ts": HELLO, "other.ts": "// other"})
    known, new = git_sha1(HELLO.encode()), git_sha1(b"// new")
    entries = {
        "main.ts": {"kind": "file", "gitSha1": known, "size": 40},
        "lib": {
            "kind": "directory",
            "entries": {
                "a.ts": {"kind": "file", "gitSha1": new},
                "deep": {
                    "kind": "directory",
                    "entries": {"b.ts": {"kind": "file", "gitSha1": new, "size": 6}},
                },
            },
        },
        "link": {"kind": "symlink", "target": "main.ts"},
    }

    for name in (project["id"], project["name"]):
        answer = server.call(
            "POST", f"/api/projects/{name}/assets/negotiate", {"entries": entries}
        )
        assert answer.json == [new]
        # deployctl compares the whole header.
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/projects/x", 405),
        ("GET", "/v1/deployments/%00", 404),
        ("GET", "/v1/deployments/%F0%9F%92%A9", 404),
        ("GET", "/v1/projects/%27%3B--", 404),
        ("POST", "/api/projects/none/assets/negotiate", 404),
    ],
)
def test_nothing_a_client_asks_for_is_a_500(
    server: RunningSubhosting, method: str, path: str, status: int
) -> None:
    answer = server.call(method, path, {})

    assert answer.status == status
    assert set(answer.json) == {"code", "message", "error"}


def test_a_body_beyond_the_limit_is_told_so(server: RunningSubhosting, project: Json) -> None:
    path = f"/v1/projects/{project['id']}/deployments"
    headers = {"Content-Length": str(10**12)}
    answer = request(
        server.api_port,
        "POST",
        path,
        headers={"Authorization": f"Bearer {server.token}", **headers},
    )

    assert (answer.status, answer.json["code"]) == (413, "bodyTooLarge")
