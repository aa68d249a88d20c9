"""deployctl's commands against our server, by a client that does what it does."""

from pathlib import Path

import pytest

from bot.kernel.ids import RandomIds
from tests.subhosting.dash.deployctl import ApiError, Deployctl, walk
from tests.subhosting.server import Json, RunningSubhosting, wait_until
from tests.subhosting.v2 import client

ROUTE = "deployment_with_assets"
URL = "file:///src/main.ts"


@pytest.fixture
def deployctl(server: RunningSubhosting) -> Deployctl:
    return Deployctl(server.api_url, f"Bearer {server.token}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an app with a folder, two equal files and a link."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "main.ts").write_text(
        "Deno.serve(async () => new Response("
        'await Deno.readTextFile(new URL("./link.txt", import.meta.url))));'
    )
    (tmp_path / "deep" / "greeting.txt").write_text("hello")
    (tmp_path / "copy.txt").write_text("hello")
    (tmp_path / "link.txt").symlink_to("deep/greeting.txt")
    return tmp_path


def test_a_deployment_shows_its_progress_and_serves(
    server: RunningSubhosting, project: Json, deployctl: Deployctl, folder: Path
) -> None:
    lines = deployctl.deploy(project["name"], folder, ROUTE, url=URL, production=False)

    assert [line["type"] for line in lines] == ["staticFile", "load", "uploadComplete", "success"]
    assert (
        lines[0]["currentBytes"]
        == lines[0]["totalBytes"]
        == 5 + len((folder / "main.ts").read_text())
    )
    assert lines[1] == {"type": "load", "url": URL, "seen": 4, "total": 4}
    done = lines[3]
    assert (done["url"], done["projectId"], done["envVars"]) == (URL, project["id"], [])
    hosts = [mapping["domain"] for mapping in done["domainMappings"]]
    assert hosts == [f"{project['name']}-{done['id']}.localhost"]
    assert server.get(hosts[0]).text == "hello"
    assert server.call("GET", f"/v1/deployments/{done['id']}").json["status"] == "success"


def test_what_is_known_is_not_sent_again(
    project: Json, deployctl: Deployctl, folder: Path
) -> None:
    deployctl.deploy(project["name"], folder, ROUTE, url=URL, production=False)
    lines = deployctl.deploy(project["id"], folder, ROUTE, url=URL, production=False)

    assert lines[0] == {"type": "staticFile", "currentBytes": 0, "totalBytes": 0}
    assert lines[-1]["type"] == "success"


def test_production_moves_the_project_s_own_host(
    server: RunningSubhosting, project: Json, deployctl: Deployctl, folder: Path
) -> None:
    lines = deployctl.deploy(project["name"], folder, ROUTE, url=URL, production=True)

    hosts = {mapping["domain"] for mapping in lines[-1]["domainMappings"]}
    assert f"{project['name']}.localhost" in hosts
    assert server.get(f"{project['name']}.localhost").text == "hello"
    shown = deployctl.ask(f"/projects/{project['name']}")
    assert shown["hasProductionDeployment"]
    production = shown["productionDeployment"]
    # What older and newer deployctl call the current one.
    assert production["id"] == production["deploymentId"] == lines[-1]["id"]
    assert production["deployment"]["domainMappings"] == production["domainMappings"] != []


def test_a_deployment_that_fails_says_why(
    project: Json, deployctl: Deployctl, tmp_path: Path
) -> None:
    (tmp_path / "main.ts").write_text('throw new Error("out of luck")')
    lines = deployctl.deploy(project["name"], tmp_path, ROUTE, url=URL, production=False)

    assert (lines[-1]["type"], lines[-1]["code"]) == ("error", "DeploymentFailed")
    assert "exited before serving" in lines[-1]["ctx"]


def test_files_are_known_by_hash_in_any_order_and_a_missing_one_is_named(
    project: Json, deployctl: Deployctl, folder: Path
) -> None:
    main, hello = (folder / "main.ts").read_bytes(), b"hello"
    request = {"url": URL, "production": False, "manifest": {"entries": walk(folder, {})}}

    with pytest.raises(ApiError, match=r"copy\.txt") as refused:
        list(deployctl.push(project["id"], ROUTE, request, [main]))
    lines = list(deployctl.push(project["id"], ROUTE, request, [b"unused", hello, main]))

    assert (refused.value.status, refused.value.code) == (400, "assetNotFound")
    assert lines[-1]["type"] == "success"


@pytest.mark.parametrize(
    ("request_part", "words"),
    [
        ([], "must be a JSON object"),
        ({}, "url: "),
        ({"url": URL}, "entryPointUrl: "),
        ({"url": "http://example.com/x.ts", "manifest": {"entries": {}}}, "entryPointUrl: "),
        ({"url": URL, "manifest": {"entries": {"..": {"kind": "directory"}}}}, "manifest.entries"),
        (
            {
                "url": URL,
                "manifest": {
                    "entries": {"..": {"kind": "symlink", "target": "x"}},
                },
            },
            "'..'",
        ),
    ],
)
def test_a_wrong_request_is_refused_by_field(
    project: Json, deployctl: Deployctl, request_part: object, words: str
) -> None:
    with pytest.raises(ApiError) as refused:
        list(deployctl.push(project["id"], ROUTE, request_part, []))

    assert refused.value.status == 400
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n"),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{}',
        ),
    ],
)
def test_what_is_no_form_is_a_400(
    server: RunningSubhosting, project: Json, content_type: str, body: bytes
) -> None:
    path = f"/api/projects/{project['id']}/{ROUTE}"
    answer = server.call("POST", path, body, headers={"Content-Type": content_type})

    assert (answer.status, answer.json["code"]) == (400, "invalidForm"), answer


def test_organizations_projects_and_metadata(
    server: RunningSubhosting, deployctl: Deployctl
) -> None:
    organizations = deployctl.ask("/organizations")
    assert [each["id"] for each in organizations] == [server.organization]
    made = deployctl.ask("/projects/", "POST", {"organizationId": server.organization})
    renamed = deployctl.ask(f"/projects/{made['name']}", "PATCH", {"name": f"x{made['name']}"})

    assert renamed["id"] == made["id"]
    assert renamed["organization"]["id"] == server.organization
    listed = deployctl.ask(f"/organizations/{server.organization}/projects")
    assert renamed["name"] in [each["name"] for each in listed]
    shown = deployctl.ask(f"/organizations/{server.organization}")
    assert renamed["name"] in [each["name"] for each in shown["projects"]]
    assert deployctl.ask(f"/projects/{renamed['id']}", "DELETE") == {}
    with pytest.raises(ApiError) as gone:
        deployctl.ask(f"/projects/{renamed['id']}")
    assert gone.value.code == "projectNotFound"
    assert deployctl.ask("/meta")["regionCodes"]


def test_deployments_come_as_a_pair_with_pages_from_0(
    project: Json, deployctl: Deployctl, folder: Path, server: RunningSubhosting
) -> None:
    ids = [
        deployctl.deploy(project["id"], folder, ROUTE, url=URL, production=False)[-1]["id"]
        for _ in range(3)
    ]
    broken = server.deployed(project["id"], {"main.ts": "throw 1"})["id"]

    builds, place = deployctl.ask(f"/projects/{project['name']}/deployments/?page=0&limit=3")
    rest, last = deployctl.ask(f"/projects/{project['name']}/deployments?page=1&limit=3")

    assert [each["deploymentId"] for each in (*builds, *rest)] == [broken, *reversed(ids)]
    assert builds[0]["deployment"] is None
    assert builds[0]["logs"][0]["type"] == "error"
    assert builds[1]["deployment"]["domainMappings"]
    assert place == {"page": 0, "count": 3, "limit": 3, "totalCount": 4, "totalPages": 2}
    assert last == {"page": 1, "count": 1, "limit": 3, "totalCount": 4, "totalPages": 2}
    shown = deployctl.ask(f"/deployments/{ids[0]}")
    assert (shown["id"], shown["project"]["name"]) == (ids[0], project["name"])
    assert (shown["deployment"]["id"], shown["logs"]) == (ids[0], [])
    failed = deployctl.ask(f"/deployments/{broken}")
    assert (failed["deployment"], failed["logs"]) == (None, builds[0]["logs"])


COUNTS = """
    const kv = await Deno.openKv();
    Deno.serve(async () => {
        await kv.set(["seen"], "x".repeat(1000));
        return new Response("counted");
    });
"""


def test_a_deployment_names_its_databases_and_a_project_lists_them(
    project: Json, deployctl: Deployctl, server: RunningSubhosting
) -> None:
    databases = f"/v1/organizations/{server.organization}/databases"
    made = server.call("POST", databases, {"description": "visits"}).json
    linked = {"default": made["id"]}
    before = deployctl.ask(f"/projects/{project['id']}/databases")
    live = server.deployed(project["id"], {"main.ts": COUNTS}, databases=linked)
    assert server.get(live["domains"][0]).text == "counted"

    shown = deployctl.ask(f"/deployments/{live['id']}")
    (listed,) = deployctl.ask(f"/projects/{project['name']}/databases")

    assert before == []
    assert shown["kvDatabases"] == shown["deployment"]["kvDatabases"] == linked
    assert (listed["databaseId"], listed["bindingName"]) == (made["id"], "default")
    assert (listed["branch"], listed["description"]) == ("production", "visits")
    assert listed["sizeBytes"] > 0


def test_v2_s_databases_are_shown_as_the_default_one(
    deployctl: Deployctl, server: RunningSubhosting
) -> None:
    slug = f"i-{RandomIds().new()[:8]}"
    engine = {"slug": slug, "connection": {"engine": "denokv"}}
    assert server.call("POST", "/v2/database_instances", engine).status < 300
    app = client.new_app(server)
    target = {"databases": [{"instance": slug, "name": "main"}]}
    revision = client.deployed(server, app["id"], client.says("hi"), preview=target)

    (listed,) = deployctl.ask(f"/projects/{app['id']}/databases")
    shown = deployctl.ask(f"/deployments/{revision['id']}")

    assert (listed["branch"], listed["bindingName"]) == ("preview", "main")
    assert listed["sizeBytes"] is None
    assert shown["kvDatabases"] == {"default": listed["databaseId"]}


def test_variables_of_a_project_are_refused_by_deployctl_s_own_name(
    deployctl: Deployctl,
) -> None:
    with pytest.raises(ApiError, match="envs: ") as refused:
        deployctl.ask("/projects/", "POST", {"envs": {"KEY": "value"}})

    assert refused.value.status == 400


def test_logs_of_the_past(project: Json, deployctl: Deployctl, server: RunningSubhosting) -> None:
    app = (
        'console.log("first words"); console.error("bad words"); Deno.serve(() => new Response());'
    )
    live = server.deployed(project["id"], {"main.ts": app})["id"]

    def queried(params: str) -> list[str]:
        path = f"/projects/{project['id']}/deployments/{live}/query_logs?params={params}"
        lines = deployctl.ask(path)["logs"]
        assert all(line["deploymentId"] == live and line["timestamp"] for line in lines)
        return [line["message"].strip() for line in lines]

    wait_until(lambda: len(queried("{}")) >= 2, "both lines")
    assert queried('{"q":["words","first"]}') == ["first words"]
    assert queried('{"levels":["error"]}') == ["bad words"]
    with pytest.raises(ApiError, match="limit"):
        queried('{"limit":0}')


@pytest.mark.parametrize("authorization", ["", "Bearer ddo_wrong", "GitHubOIDC x.y.z"])
def test_without_a_token_nothing_is_deployed(
    server: RunningSubhosting, project: Json, authorization: str
) -> None:
    stranger = Deployctl(server.api_url, authorization)
    with pytest.raises(ApiError) as refused:
        list(stranger.push(project["id"], ROUTE, {"url": URL}, []))

    assert (refused.value.status, refused.value.code) == (401, "invalidToken")
