"""POST /deployments/{id}/redeploy: the same files, other settings, merged."""

from tests.subhosting.server import Answer, Json, RunningSubhosting

SHOWS = """
const names = ["A", "B", "C"];
Deno.serve(() => Response.json(names.map((name) => Deno.env.get(name) ?? null)));
"""


def redeploy(server: RunningSubhosting, deployment: Json, body: Json, query: str = "") -> Answer:
    return server.call("POST", f"/v1/deployments/{deployment['id']}/redeploy{query}", body)


def live(server: RunningSubhosting, made: Answer) -> Json:
    assert made.status == 200, made
    server.build_log(made.json["id"])
    document: Json = server.call("GET", f"/v1/deployments/{made.json['id']}").json
    return document


def test_variables_are_merged_and_null_takes_one_away(
    server: RunningSubhosting, project: Json
) -> None:
    old = server.deployed(project["id"], {"main.ts": SHOWS}, envVars={"A": "1", "B": "2"})

    made = redeploy(server, old, {"envVars": {"B": None, "C": "3"}})

    assert (made.json["status"], "domains" in made.json) == ("pending", False)
    new = live(server, made)
    assert new["id"] != old["id"]
    assert server.get(new["domains"][0]).json == ["1", None, "3"]
    assert server.get(old["domains"][0]).json == ["1", "2", None]


def test_deployctl_s_spelling_works_and_prod_takes_the_project_s_domain(
    server: RunningSubhosting, project: Json
) -> None:
    old = server.deployed(project["id"], {"main.ts": SHOWS})
    body = {"prod": True, "env_vars": {"A": "x"}, "databases": None}

    new = live(server, redeploy(server, old, body, "?internal=true"))

    assert f"{project['name']}.localhost" in new["domains"]
    assert server.get(f"{project['name']}.localhost").json == ["x", None, None]


def test_what_is_not_given_stays_and_what_is_given_replaces(
    server: RunningSubhosting, project: Json, database: Json
) -> None:
    linked = {"default": database["id"]}
    old = server.deployed(
        project["id"],
        {"main.ts": SHOWS},
        description="first",
        requestTimeout=5000,
        permissions={"net": ["a.example"]},
        databases=linked,
    )

    same = live(server, redeploy(server, old, {}))
    other = live(
        server,
        redeploy(
            server,
            old,
            {
                "description": "second",
                "requestTimeout": 7000,
                "permissions": {"net": []},
                "databases": {"default": None},
            },
        ),
    )

    def settings(document: Json) -> list[object]:
        names = ("description", "requestTimeout", "permissions", "databases")
        return [document[name] for name in names]

    assert settings(same) == ["first", 5000, {"net": ["a.example"]}, linked]
    assert settings(other) == ["second", 7000, {"net": []}, {}]


def test_a_failed_deployment_can_be_redeployed(server: RunningSubhosting, project: Json) -> None:
    app = {"main.ts": f'if (!Deno.env.get("A")) Deno.exit(1);\n{SHOWS}'}
    old = server.deployed(project["id"], app)

    new = live(server, redeploy(server, old, {"envVars": {"A": "now"}}))

    assert (old["status"], new["status"]) == ("failed", "success")


def test_a_bad_wish_is_refused_by_field(server: RunningSubhosting, project: Json) -> None:
    old = server.deployed(project["id"], {"main.ts": SHOWS})

    def said(body: Json) -> str:
        answer = redeploy(server, old, body)
        assert answer.status == 400, answer
        return str(answer.json["message"])

    assert said({"envVars": {"DENO_DIR": "x"}}).startswith("envVars: 'DENO_DIR'")
    assert said({"databases": {"default": "x"}}).startswith("databases.default: ")
    assert said({"permissions": {"net": ["a,b"]}}).startswith("permissions.net: ")
    assert said({"requestTimeout": 2**40}).startswith("requestTimeout: ")
    assert redeploy(server, {"id": "nowhere00000"}, {}).json["code"] == "deploymentNotFound"
