"""A KV database can be reached at every level of isolation, by apps and by their commands."""

from pathlib import Path

import pytest

from tests.subhosting.builds.app import deployed, said, with_commands
from tests.subhosting.server import RunningSubhosting
from tests.subhosting.v2.client import new_app

MIGRATES = """
const kv = await Deno.openKv();
await kv.set(["version"], 7);
kv.close();
"""
SHOWS = """
const kv = await Deno.openKv();
Deno.serve(async () => new Response(String((await kv.get(["version"])).value)));
"""


@pytest.mark.parametrize("level", ["L0", "L1", "L2", "L3"])
def test_a_database_can_be_reached_up_to_level(level: str, tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", highest_isolation=level) as server:
        app = new_app(server)
        body = {"slug": "kv-one", "connection": {"engine": "denokv"}}
        server.call("POST", "/v2/database_instances", body)
        live = deployed(
            server,
            app["id"],
            {"main.ts": SHOWS, "migrate.ts": MIGRATES},
            config=with_commands(predeploy="deno run -A --unstable-kv migrate.ts"),
            production={"databases": [{"instance": "kv-one", "name": "production"}]},
        )

        assert live["status"] == "succeeded", said(server, live["id"])
        assert server.get(f"{app['slug']}.localhost").text == "7"
