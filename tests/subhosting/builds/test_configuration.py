"""Who decides how an app is built: the request, its deno.json, its app, its files."""

import json

import pytest

from tests.subhosting.builds.app import SERVES_A_FILE, deploy, deployed, said, with_commands
from tests.subhosting.server import Json, RunningSubhosting
from tests.subhosting.v2.client import new_app, says


def writes(text: str) -> str:
    return f"mkdir -p dist && printf '{text}' > dist/made.txt"


def in_repository(**section: object) -> str:
    return json.dumps({"deploy": {"runtime": {"entrypoint": "./main.ts"}, **section}})


def test_the_request_beats_the_repository_which_beats_the_app(server: RunningSubhosting) -> None:
    app = new_app(server, config=with_commands(build=writes("app")))
    host = f"{app['slug']}.localhost"
    plain = {"main.ts": SERVES_A_FILE}
    both = {**plain, "deno.json": in_repository(build=writes("repository"))}

    by_app = deployed(server, app["id"], plain)
    said_by_app = server.get(host).text
    by_repository = deployed(server, app["id"], both)
    said_by_repository = server.get(host).text
    deployed(server, app["id"], both, config=with_commands(build=writes("request")))

    assert by_app["status"] == by_repository["status"] == "succeeded"
    assert (said_by_app, said_by_repository) == ("app", "repository")
    assert server.get(host).text == "request"
    assert by_repository["config"]["build"] == writes("repository")


def test_comments_and_a_memory_limit_in_deno_jsonc_are_understood(
    server: RunningSubhosting,
) -> None:
    app = new_app(server)
    section = f"""{{
      // how it is built
      "deploy": {{
        "build": {json.dumps(writes("commented"))},
        "buildTimeout": "2m",
        "runtime": {{ "entrypoint": "main.ts", "memoryLimit": 600, }},
      }},
    }}"""

    live = deployed(server, app["id"], {"main.ts": SERVES_A_FILE, "deno.jsonc": section})

    assert live["status"] == "succeeded", said(server, live["id"])
    commands = [_command(pid) for pid in server.instances()]
    mine = [each for each in commands if live["id"] in each]
    assert all("--max-old-space-size=600" in each for each in mine)
    assert len(mine) == 1


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ({"framework": "nextjs"}, "assets: deno.json: deploy.framework"),
        ({"framework": "cobol"}, "assets: deno.json: deploy.framework"),
        ({"build": 7}, "assets: deno.json: deploy.build"),
        ({"runtime": {"type": "dynamic"}}, "assets: deno.json: deploy.runtime.entrypoint"),
        ({"runtime": {"entrypoint": "no.ts"}}, "assets: deno.json: deploy.runtime.entrypoint"),
        (
            {"runtime": {"entrypoint": "main.ts", "memoryLimit": "much"}},
            "assets: deno.json: deploy.runtime.memoryLimit",
        ),
        (
            {"build": "x", "runtime": {"entrypoint": "../out.ts"}},
            "assets: deno.json: deploy.runtime.entrypoint",
        ),
    ],
)
def test_a_repository_is_told_which_of_its_fields_is_wrong(
    server: RunningSubhosting, section: Json, field: str
) -> None:
    app = new_app(server)
    files = {"main.ts": says("x"), "deno.json": json.dumps({"deploy": section})}

    refused = deploy(server, app["id"], files)

    assert refused.status == 400, refused
    assert refused.json["message"].startswith(f"{field}:"), refused.json


def test_a_deploy_key_for_other_tools_changes_nothing(server: RunningSubhosting) -> None:
    app = new_app(server)
    key = {"deploy": {"project": "x", "entrypoint": "other.ts", "exclude": ["**/node_modules"]}}

    live = deployed(server, app["id"], {"main.ts": says("x"), "deno.json": json.dumps(key)})

    assert live["status"] == "succeeded"
    assert live["config"] == {"runtime": {"type": "dynamic", "entrypoint": "main.ts"}}


def _command(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - a pseudo file
        return file.read().decode()


def test_v1_builds_when_it_is_told_to(server: RunningSubhosting, project: Json) -> None:
    files = {"main.ts": SERVES_A_FILE, "deno.json": in_repository(build=writes("repository"))}
    plain = {"main.ts": says("plain"), "deno.json": '{"tasks": {"build": "exit 1"}}'}
    own = with_commands(build='mkdir dist && printf "$WORDS" > dist/made.txt')

    silent = server.deployed(project["id"], files)
    by_repository = server.deployed(project["id"], files, config={})
    by_request = server.deployed(
        project["id"], files, config=own, envVars={"WORDS": "request"}, compilerOptions={}
    )
    by_entry_point = server.deployed(project["id"], plain, config={})
    refused = server.deploy(
        project["id"], files, headers=None, config={**own, "framework": "nextjs"}
    )

    # As Deno's own v1: it does not look at the key, so the file is not there.
    assert silent["status"] == "failed"
    assert server.get(by_repository["domains"][0]).text == "repository"
    assert server.get(by_request["domains"][0]).text == "request"
    assert server.get(by_entry_point["domains"][0]).text == "plain"
    assert (refused.status, refused.json["message"].split(":")[0]) == (400, "config")
