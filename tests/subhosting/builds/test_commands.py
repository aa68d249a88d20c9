"""The commands of a build: what they see, what they leave behind, and how their failure shows."""

import contextlib
import json
from pathlib import Path

import pytest

from tests.subhosting.builds.app import (
    SERVES_A_FILE,
    deploy,
    deployed,
    said,
    sleepers,
    with_commands,
)
from tests.subhosting.server import CANARY, Json, RunningSubhosting, wait_until
from tests.subhosting.v2.client import ended, new_app, progress, says

# A daemon in a session of its own, whose parent is gone.
STAYS = "setsid sh -c 'sleep 1234.5 & sleep 1234.5' & sleep 1234.5"
MAKES_A_FILE = "mkdir -p dist && printf 'made by the build' > dist/made.txt"


@pytest.fixture
def app(server: RunningSubhosting) -> Json:
    return new_app(server)


def test_what_a_build_writes_is_what_runs(server: RunningSubhosting, app: Json) -> None:
    config = with_commands(build=MAKES_A_FILE)
    live = deployed(server, app["id"], {"main.ts": SERVES_A_FILE}, config=config)

    assert live["status"] == "succeeded", said(server, live["id"])
    assert server.get(f"{app['slug']}.localhost").text == "made by the build"
    assert live["config"]["build"] == MAKES_A_FILE
    assert said(server, live["id"], "building") == [f"$ {MAKES_A_FILE}"]
    stages = progress(server, live["id"])[-1]
    assert (stages["building"]["status"], stages["building"]["command"]) == (
        "succeeded",
        MAKES_A_FILE,
    )
    assert stages["installing"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("install", "build"),
    # Whether it is the machine's npm or our stand-in.
    [("deno install", "deno task build"), ("npm install", "npm run build")],
)
def test_a_task_of_deno_and_a_script_of_npm_run_with_their_packages(
    server: RunningSubhosting, app: Json, install: str, build: str
) -> None:
    files = {
        "package.json": json.dumps(
            {
                "type": "module",
                "scripts": {"build": "node make.js"},
                "dependencies": {"tiny-greeting": "1"},
            }
        ),
        "make.js": 'import words from "tiny-greeting"; import fs from "node:fs";'
        'fs.mkdirSync("dist"); fs.writeFileSync("dist/made.txt", words);',
        "main.ts": SERVES_A_FILE,
    }
    config = with_commands(install=install, build=build)

    live = deployed(server, app["id"], files, config=config)

    assert live["status"] == "succeeded", said(server, live["id"])
    assert server.get(f"{app['slug']}.localhost").text == "hello from a package"
    assert said(server, live["id"], "installing")[0] == f"$ {install}"
    assert progress(server, live["id"])[-1]["installing"]["command"] == install


def test_commands_see_the_variables_of_builds_and_none_of_ours(
    server: RunningSubhosting,
) -> None:
    app = new_app(
        server,
        env_vars=[
            {"key": "EVERYWHERE", "value": "1"},
            {"key": "IN_BUILDS", "value": "2", "contexts": ["build"]},
            {"key": "IN_PRODUCTION", "value": "3", "contexts": ["production"]},
        ],
    )
    config = with_commands(build="mkdir dist && env > dist/made.txt")
    live = deployed(
        server,
        app["id"],
        {"main.ts": SERVES_A_FILE},
        config=config,
        env_vars=[{"key": "OF_THE_REVISION", "value": "4"}],
    )

    text = server.get(f"{app['slug']}.localhost").text
    seen = dict(line.split("=", 1) for line in text.splitlines())
    assert (seen["EVERYWHERE"], seen["IN_BUILDS"], seen["OF_THE_REVISION"]) == ("1", "2", "4")
    assert "IN_PRODUCTION" not in seen
    assert (seen["CI"], seen["DENO_DEPLOY"]) == ("true", "true")
    assert seen["DENO_DEPLOY_APP_SLUG"] == app["slug"]
    assert seen["DENO_DEPLOY_BUILD_ID"] == live["id"]
    assert CANARY not in text


@pytest.mark.parametrize(
    ("command", "stage"),
    [("install", "installing"), ("build", "building"), ("predeploy", "deploying")],
)
def test_a_command_that_fails_fails_its_stage(
    server: RunningSubhosting, app: Json, command: str, stage: str
) -> None:
    config = with_commands(**{command: "echo went this far; echo broke >&2; exit 3"})

    failed = deployed(server, app["id"], {"main.ts": says("x")}, config=config)

    assert (failed["status"], failed["failure_reason"]) == ("failed", "error")
    assert failed["failure_detail"] is None
    lines = said(server, failed["id"], stage)
    assert lines[-3:] == ["went this far", "broke", "The command failed with code 3"]
    assert progress(server, failed["id"])[-1][stage]["status"] == "errored"
    assert not (server.data_dir / "deployments" / failed["id"] / "src").exists()


def test_a_type_error_of_a_build_stands_in_its_log(server: RunningSubhosting, app: Json) -> None:
    files = {"main.ts": says("x"), "lib/wrong.ts": 'export const n: number = "a";\n'}
    config = with_commands(build="deno check lib/wrong.ts")

    failed = deployed(server, app["id"], files, config=config)

    lines = said(server, failed["id"], "building")
    assert any(line.startswith("TS2322 [ERROR]: Type 'string'") for line in lines), lines
    assert "    at file:///src/lib/wrong.ts:1:14" in lines


def test_an_entry_point_may_come_out_of_the_build(server: RunningSubhosting, app: Json) -> None:
    source = says("from the build")
    config = {
        "build": f"mkdir out && cat > out/server.js <<'END'\n{source}\nEND\n",
        "runtime": {"type": "dynamic", "entrypoint": "./out/server.js"},
    }

    live = deployed(server, app["id"], {"readme.md": "x"}, config=config)
    config["build"] = "true"
    without = deployed(server, app["id"], {"readme.md": "x"}, config=config)

    assert live["status"] == "succeeded", said(server, live["id"])
    assert server.get(f"{app['slug']}.localhost").text == "from the build"
    assert without["failure_reason"] == "error"
    assert "is not there after the build" in said(server, without["id"])[-1]


def test_arguments_and_working_directory_reach_the_app(
    server: RunningSubhosting, app: Json
) -> None:
    source = """
    const folder = Deno.cwd().split("/").at(-1);
    Deno.serve(() => new Response(`${Deno.args.join(",")} in ${folder}`));
    """
    runtime = {
        "type": "dynamic",
        "entrypoint": "./app/main.ts",
        "args": ["--port", "80 80"],
        "cwd": "./app",
    }

    live = deployed(server, app["id"], {"app/main.ts": source}, config={"runtime": runtime})

    assert live["status"] == "succeeded", said(server, live["id"])
    assert live["config"]["runtime"] == runtime
    assert server.get(f"{app['slug']}.localhost").text == "--port,80 80 in app"


def test_links_out_of_the_app_do_not_survive_the_build(
    server: RunningSubhosting, app: Json
) -> None:
    build = "mkdir dist && echo fine > dist/made.txt && ln -s /etc/passwd leak && mkfifo pipe"
    config = with_commands(build=build, predeploy="ln -s ../.. late")
    live = deployed(server, app["id"], {"main.ts": SERVES_A_FILE}, config=config)

    assert live["status"] == "succeeded"
    warnings = [line for line in said(server, live["id"]) if line.startswith("Removed ")]
    names = [line.split(":")[0] for line in sorted(warnings)]
    assert names == ["Removed late", "Removed leak", "Removed pipe"]


def test_files_of_one_build_are_not_those_of_another(server: RunningSubhosting, app: Json) -> None:
    """The contents are shared by hash, and a build writes in place."""
    files = {"main.ts": SERVES_A_FILE, "dist/made.txt": "as uploaded"}
    build = "printf changed > dist/made.txt"
    changed = deployed(server, app["id"], files, config=with_commands(build=build))
    first = server.get(f"{app['slug']}.localhost").text

    deployed(server, app["id"], files, config=with_commands())

    assert changed["status"] == "succeeded"
    assert first == "changed"
    assert server.get(f"{app['slug']}.localhost").text == "as uploaded"


def test_a_built_app_rests_and_starts_again(server: RunningSubhosting, app: Json) -> None:
    live = deployed(
        server, app["id"], {"main.ts": SERVES_A_FILE}, config=with_commands(build=MAKES_A_FILE)
    )
    host = f"{app['slug']}.localhost"

    change = {"env_vars": [{"key": "FOO", "value": "other"}]}
    before = set(server.instances())
    server.call("PATCH", f"/v2/apps/{app['id']}", change)
    wait_until(lambda: set(server.instances()) - before, "another instance")

    assert live["status"] == "succeeded"
    assert server.get(host).text == "made by the build"


def test_a_cancelled_command_ends_with_everything_it_started(
    server: RunningSubhosting, app: Json
) -> None:
    made = deploy(server, app["id"], {"main.ts": says("x")}, config=with_commands(build=STAYS))
    revision = made.json["id"]
    scratch = str(server.data_dir / "deployments" / revision / "scratch")
    wait_until(lambda: len(sleepers(scratch)) == 3, "all three to run")

    server.call("POST", f"/v2/revisions/{revision}/cancel", {})
    over = ended(server, revision)

    assert (over["status"], over["failure_reason"]) == ("failed", "cancelled")
    assert progress(server, revision)[-1]["building"]["status"] == "cancelled"
    assert sleepers(scratch) == []


def test_daemons_of_a_build_do_not_outlive_it(server: RunningSubhosting, app: Json) -> None:
    build = f"{MAKES_A_FILE}; setsid sleep 1234.5 > /dev/null & setsid sleep 1234.5 &"

    live = deployed(
        server, app["id"], {"main.ts": SERVES_A_FILE}, config=with_commands(build=build)
    )

    assert live["status"] == "succeeded", said(server, live["id"])
    assert sleepers(str(server.data_dir / "deployments" / live["id"])) == []


@pytest.mark.parametrize("how", ["deleted", "stopped"])
def test_a_build_ends_with_its_deployment_and_with_its_host(
    tmp_path: Path, server: RunningSubhosting, how: str
) -> None:
    with contextlib.ExitStack() as stack:
        if how == "stopped":
            server = stack.enter_context(RunningSubhosting(tmp_path / "data"))
        app = new_app(server)
        made = deploy(server, app["id"], {"main.ts": says("x")}, config=with_commands(build=STAYS))
        folder = server.data_dir / "deployments" / made.json["id"]
        wait_until(lambda: len(sleepers(str(folder))) == 3, "all three to run")

        if how == "stopped":
            server.stop_host()
        else:
            assert server.call("DELETE", f"/v1/deployments/{made.json['id']}").status == 200
            wait_until(lambda: not folder.exists(), "the files to go")

        assert sleepers(str(folder)) == []


def test_secrets_do_not_reach_the_log(server: RunningSubhosting) -> None:
    secret = {"key": "TOKEN", "value": "very hidden\nand more of it", "secret": True}
    app = new_app(server, env_vars=[secret, {"key": "SHOWN", "value": "plain"}])
    shows = 'echo "$TOKEN, $SHOWN, $HTTPS_PROXY"'

    live = deployed(
        server,
        app["id"],
        {"main.ts": says("x")},
        config=with_commands(build=shows, predeploy=shows),
    )

    lines = said(server, live["id"])
    assert live["status"] == "succeeded", lines
    text = "\n".join(lines)
    assert "hidden" not in text
    assert "more of it" not in text
    assert "http://build:" not in text
    assert text.count("[redacted]\n[redacted], plain, http://[redacted]@") == 2


def test_a_build_has_the_usual_programs(server: RunningSubhosting, app: Json) -> None:
    programs = "awk sed grep tar gzip find xargs head"
    found = f"for each in {programs}; do command -v $each || exit 1; done"
    build = f"{found}; echo a b | awk '{{print $2}}'"

    live = deployed(server, app["id"], {"main.ts": says("x")}, config=with_commands(build=build))

    assert live["status"] == "succeeded", said(server, live["id"])
    assert said(server, live["id"], "building")[-1] == "b"
