"""v1 takes URLs for the entry point, the import map and the lock file: fetched at build time."""

import hashlib
import json

import pytest

from tests.subhosting.dash.deployctl import Deployctl
from tests.subhosting.egress.conftest import Modules
from tests.subhosting.server import Json, RunningSubhosting
from tests.subhosting.v2.client import ended

GREETS = """import words from "./words.ts";
Deno.serve(() => new Response(`${words} from ${new URL(import.meta.url).pathname}`));
"""
SERVES_MAPPED = 'import words from "words";\nDeno.serve(() => new Response(words));'


@pytest.fixture
def project(outgoing: RunningSubhosting) -> Json:
    return outgoing.new_project()


def log(server: RunningSubhosting, deployment: Json) -> str:
    return "\n".join(line["message"] for line in server.build_log(deployment["id"]))


def greeting(modules: Modules, words: str = "hello") -> str:
    """Serve an app with two modules, and return the URL of its entry point."""
    modules.files["/app/main.ts"] = GREETS
    modules.files["/app/words.ts"] = f'export default "{words}";'
    return modules.opened("/app/main.ts")


def test_an_entry_point_elsewhere_is_fetched_once_and_runs_without_its_server(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    url = greeting(modules)
    live = outgoing.deployed(project["id"], {}, entryPointUrl=url)

    assert live["status"] == "success", log(outgoing, live)
    fetched = modules.paths()
    assert sorted(fetched) == ["/app/main.ts", "/app/words.ts"]
    outgoing.stop_host()
    outgoing.start_host()
    assert outgoing.get(live["domains"][0]).text == "hello from /app/main.ts"
    assert modules.paths() == fetched


def test_a_redeploy_fetches_it_anew(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    old = outgoing.deployed(project["id"], {}, entryPointUrl=greeting(modules))
    modules.files["/app/words.ts"] = 'export default "changed";'

    made = outgoing.call("POST", f"/v1/deployments/{old['id']}/redeploy", {"envVars": {}})
    outgoing.build_log(made.json["id"])
    new = outgoing.call("GET", f"/v1/deployments/{made.json['id']}").json

    assert outgoing.get(new["domains"][0]).text == "changed from /app/main.ts"
    assert outgoing.get(old["domains"][0]).text == "hello from /app/main.ts"


def test_v2_and_dash_show_it_by_its_url(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    url = greeting(modules)
    live = outgoing.deployed(project["id"], {}, entryPointUrl=url)

    revision = outgoing.call("GET", f"/v2/revisions/{live['id']}")
    assert ended(outgoing, live["id"])["status"] == "succeeded"
    assert revision.json["config"]["runtime"] == {"type": "dynamic", "entrypoint": url}
    shown = outgoing.call("GET", f"/api/deployments/{live['id']}")
    assert shown.json["url"] == url


def test_deployctl_may_name_it_without_files(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    url = greeting(modules)
    asked: Json = {
        "url": url,
        "importMapUrl": None,
        "manifest": {"entries": {}},
        "production": False,
    }
    client = Deployctl(outgoing.api_url, f"Bearer {outgoing.token}")

    lines = list(client.push(project["id"], "deployment_with_assets", asked, []))

    assert lines[-1]["type"] == "success", lines
    assert url in [line.get("url") for line in lines]


@pytest.mark.parametrize("field", ["entryPointUrl", "importMapUrl", "lockFileUrl"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1:{port}/x.ts", "127.0.0.1:{port} is refused: the host is not known"),
        ("https://192.168.0.1/x.ts", "192.168.0.1:443 is refused: the host is not known"),
        ("{opened}/away.ts", None),
        ("{opened}/missing.ts", None),
        ("http://localhost:1/x.ts", "localhost:1 could not be reached"),
    ],
)
def test_what_cannot_be_fetched_fails_the_build_with_url_and_reason(
    outgoing: RunningSubhosting,
    project: Json,
    modules: Modules,
    field: str,
    url: str,
    reason: str | None,
) -> None:
    modules.files["/inside.ts"] = "{}"
    modules.away["/away.ts"] = modules.closed("/inside.ts")
    named = url.format(port=modules.server_port, opened=modules.opened(""))
    files = {"main.ts": 'import "npm:tiny-greeting@1"; Deno.serve(() => new Response(""));'}

    live = outgoing.deployed(project["id"], files, **{field: named})

    said = log(outgoing, live)
    assert live["status"] == "failed"
    assert named in said
    assert reason is None or reason.format(port=modules.server_port) in said
    # Nothing came from the address that was not opened.
    assert "/inside.ts" not in modules.paths()


def test_an_import_map_elsewhere_maps_relative_to_itself(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    modules.files["/maps/map.json"] = json.dumps({"imports": {"words": "./words.ts"}})
    modules.files["/maps/words.ts"] = 'export default "mapped elsewhere";'

    live = outgoing.deployed(
        project["id"], {"main.ts": SERVES_MAPPED}, importMapUrl=modules.opened("/maps/map.json")
    )

    assert live["status"] == "success", log(outgoing, live)
    assert outgoing.get(live["domains"][0]).text == "mapped elsewhere"


@pytest.mark.parametrize("honest", [True, False])
def test_a_lock_file_elsewhere_is_held(
    outgoing: RunningSubhosting, project: Json, modules: Modules, *, honest: bool
) -> None:
    url = greeting(modules)
    words = 'export default "hello";' if honest else "export default 'another';"
    locked = {
        url: hashlib.sha256(GREETS.encode()).hexdigest(),
        modules.opened("/app/words.ts"): hashlib.sha256(words.encode()).hexdigest(),
    }
    modules.files["/deno.lock"] = json.dumps({"version": "5", "remote": locked})

    live = outgoing.deployed(
        project["id"], {}, entryPointUrl=url, lockFileUrl=modules.opened("/deno.lock")
    )

    assert live["status"] == ("success" if honest else "failed"), log(outgoing, live)
    assert honest or "lock" in log(outgoing, live).lower()


def test_http_is_for_hosts_that_the_operator_opened(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    refused = outgoing.deploy(project["id"], {}, entryPointUrl=modules.closed("/app/main.ts"))

    assert (refused.status, refused.json["code"]) == (400, "unsupportedEntryPoint")
    assert refused.json["message"].endswith("must be https.")
