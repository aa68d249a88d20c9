"""What runs for each timeline before it gets a revision."""

from tests.subhosting.builds.app import deployed, said, with_commands
from tests.subhosting.server import RunningSubhosting
from tests.subhosting.v2.client import SHOWS_ENV, new_app, new_slug, progress

MIGRATES = """
const kv = await Deno.openKv();
const before = (await kv.get(["version"])).value ?? 0;
await kv.set(["version"], before + 1);
await kv.set(["timeline"], Deno.env.get("DENO_TIMELINE").split("/")[0]);
kv.close();
"""
SHOWS_DATABASE = """
const kv = await Deno.openKv();
Deno.serve(async () => {
  const found = await kv.getMany([["version"], ["timeline"]]);
  return new Response(found.map((each) => each.value).join(" "));
});
"""


def test_it_sees_the_variables_of_its_timeline(server: RunningSubhosting) -> None:
    app = new_app(server, env_vars=[{"key": "FOO", "value": "live", "contexts": ["production"]}])
    config = with_commands(predeploy='echo "migrating $DENO_TIMELINE with ${FOO:-nothing}"')

    live = deployed(server, app["id"], {"main.ts": SHOWS_ENV}, config=config, preview=True)

    assert live["status"] == "succeeded", said(server, live["id"])
    lines = said(server, live["id"], "deploying")
    assert "migrating production with live" in lines
    assert f"migrating preview/{live['id']} with nothing" in lines
    for timeline in progress(server, live["id"])[-1]["deploying"]["timelines"]:
        assert timeline["predeploy"]["status"] == "succeeded"
        assert timeline["predeploy"]["command"] == config["predeploy"]


def test_it_prepares_the_database_of_its_timeline_also_while_an_older_revision_serves(
    server: RunningSubhosting,
) -> None:
    app, instance = new_app(server), new_slug()
    body = {"slug": instance, "connection": {"engine": "denokv"}}
    server.call("POST", "/v2/database_instances", body)
    targets = {
        timeline: {"databases": [{"instance": instance, "name": timeline}]}
        for timeline in ("production", "preview")
    }
    files = {"main.ts": SHOWS_DATABASE, "migrate.ts": MIGRATES}
    config = with_commands(predeploy="deno run -A --unstable-kv migrate.ts")

    first = deployed(server, app["id"], files, config=config, **targets)
    seen = server.get(f"{app['slug']}.localhost").text
    second = deployed(server, app["id"], files, config=config, **targets)

    assert first["status"] == second["status"] == "succeeded", said(server, second["id"])
    assert seen == "1 production"
    assert server.get(f"{app['slug']}.localhost").text == "2 production"
    assert server.get(f"{app['slug']}-{second['id']}.localhost").text == "2 preview"
