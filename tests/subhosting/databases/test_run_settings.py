"""What v1 sets for one deployment, as the app experiences it."""

import pytest

from tests.subhosting.server import Json, RunningSubhosting

FETCHES = """
Deno.serve(async (request) => {
  try {
    await fetch(new URL(request.url).searchParams.get("url"));
    return new Response("answered");
  } catch (error) {
    return new Response(error.name);
  }
});
"""

IMPORTS = 'import { lib } from "#lib";\nDeno.serve(() => new Response(lib));'

# JSX as plain function calls: `h` must be what the compiler options name.
JSX = """
// deno-lint-ignore no-unused-vars
const h = (tag, properties, ...children) => `h:${tag}:${children.join("")}`;
const made = (name, properties, ...children) => `made:${name}:${children.join("")}`;
Deno.serve(() => new Response(<b>text</b>));
"""


@pytest.mark.parametrize(
    ("permissions", "name"),
    [
        (None, "TypeError"),
        ({"net": None}, "TypeError"),
        ({"net": ["*"]}, "TypeError"),
        ({"net": ["nowhere.invalid", "192.0.2.1", "[2001:db8::1]"]}, "TypeError"),
        ({"net": ["other.invalid"]}, "NotCapable"),
        ({"net": []}, "NotCapable"),
    ],
)
def test_an_app_reaches_the_listed_hosts_alone(
    server: RunningSubhosting, project: Json, permissions: Json | None, name: str
) -> None:
    app = {"main.ts": FETCHES}
    live = server.deployed(project["id"], app, permissions=permissions)
    host = live["domains"][0]

    # By https, because at L3 it is the proxy that answers plain requests.
    assert server.get(host, "/?url=https://nowhere.invalid/").text == name
    # Our own network stays closed whatever is listed: by Deno, at L3 by the network itself.
    ours = server.get(host, f"/?url=https://127.0.0.1:{server.api_port}/").text
    assert ours in {"NotCapable", "TypeError"}
    listed = None if permissions is None else permissions["net"]
    assert live.get("permissions", {"net": None}) == {"net": listed}


def test_an_import_map_replaces_that_of_deno_json(
    server: RunningSubhosting, project: Json
) -> None:
    app = {
        "src/main.ts": IMPORTS,
        "lib.ts": 'export const lib = "of deno.json";',
        "other.ts": 'export const lib = "of the map";',
        "deno.json": '{"imports": {"#lib": "./lib.ts"}}',
        "map.json": '{"imports": {"#lib": "./other.ts"}}',
    }

    def answer(**fields: object) -> str:
        entry = {"entryPointUrl": "src/main.ts"}
        live = server.deployed(project["id"], app, **entry, **fields)
        if live["status"] != "success":
            return "\n".join(line["message"] for line in server.build_log(live["id"]))
        return server.get(live["domains"][0]).text

    assert answer() == "of deno.json"
    assert answer(importMapUrl="map.json") == "of the map"
    assert answer(importMapUrl="file:///src/map.json") == "of the map"
    assert "not in import map" in answer(importMapUrl="")


@pytest.mark.parametrize("config", ["deno.json", "deno.jsonc", None])
def test_compiler_options_replace_those_of_deno_json_and_nothing_else(
    server: RunningSubhosting, project: Json, config: str | None
) -> None:
    text = '{/* a "comment" */ "imports": {"#lib": "./lib.ts",}, "compilerOptions": {"jsx": 5}}'
    files = {"lib.ts": 'export const lib = "lib ";', **({} if config is None else {config: text})}
    lib = "" if config is None else 'import { lib } from "#lib"; globalThis.lib = lib;\n'
    app = {"main.tsx": f"{lib}{JSX}", **files}
    options = {"jsx": "react", "jsxFactory": "made"}

    live = server.deployed(project["id"], app, entryPointUrl="main.tsx", compilerOptions=options)

    assert live["status"] == "success", server.build_log(live["id"])
    assert server.get(live["domains"][0]).text == "made:b:text"


def test_empty_compiler_options_are_deno_s_defaults(
    server: RunningSubhosting, project: Json
) -> None:
    config = '{"compilerOptions": {"jsx": "react", "jsxFactory": "made"}}'
    app = {
        "main.tsx": JSX.replace("const h =", "const React = { createElement:").replace(
            '("")}`;\nconst made', '("")}` };\nconst made'
        ),
        "deno.json": config,
    }

    live = server.deployed(project["id"], app, entryPointUrl="main.tsx", compilerOptions={})

    assert server.get(live["domains"][0]).text == "h:b:text"


def test_the_app_s_own_config_stays_as_it_was_sent(
    server: RunningSubhosting, project: Json
) -> None:
    config = '{"compilerOptions": {"strict": false}}'
    app = {"main.ts": 'Deno.serve(() => new Response("x"));', "deno.json": config}
    server.deployed(project["id"], app, compilerOptions={"jsx": "react"})
    reads = 'const text = Deno.readTextFileSync(new URL("deno.json", import.meta.url));\n'

    app["main.ts"] = f"{reads}Deno.serve(() => new Response(text));"
    live = server.deployed(project["id"], app)

    assert server.get(live["domains"][0]).text == config


@pytest.mark.parametrize("field", ["importMapUrl", "lockFileUrl"])
@pytest.mark.parametrize("url", ["nowhere.json", "http://x.test/a.json", "../deno.json"])
def test_a_file_that_is_no_asset_is_refused_by_field(
    server: RunningSubhosting, project: Json, field: str, url: str
) -> None:
    app = {"main.ts": FETCHES}
    answer = server.deploy(project["id"], app, headers=None, **{field: url})

    assert answer.status == 400
    assert answer.json["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("lock", ["locks/mine.lock", ""])
def test_a_deployment_may_name_its_lock_file_or_have_none(
    server: RunningSubhosting, project: Json, lock: str
) -> None:
    app = {
        "main.ts": 'Deno.serve(() => new Response("locked"));',
        "locks/mine.lock": '{"version": "5"}',
        "deno.lock": "broken",
    }

    live = server.deployed(project["id"], app, lockFileUrl=lock)

    assert live["status"] == "success", server.build_log(live["id"])
    assert server.get(live["domains"][0]).text == "locked"


def test_a_broken_lock_file_fails_the_build(server: RunningSubhosting, project: Json) -> None:
    app = {"main.ts": FETCHES, "mine.lock": "broken"}

    live = server.deployed(project["id"], app, lockFileUrl="mine.lock")

    assert live["status"] == "failed"
    assert any("lock" in line["message"].lower() for line in server.build_log(live["id"]))
